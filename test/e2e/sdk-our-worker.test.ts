/** Our worker, with our client and with the official one. */
import { officialClientKit, ourClientKit, ourWorkerKit } from './sdk/kits.js';
import { sdkSuite } from './sdk/suite.js';

sdkSuite('our worker, our client', ourWorkerKit, ourClientKit);
sdkSuite('our worker, official client', ourWorkerKit, officialClientKit);
