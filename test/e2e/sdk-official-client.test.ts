/** Our worker with the official client. */
import { officialClientKit, ourWorkerKit } from './sdk/kits.js';
import { sdkSuite } from './sdk/suite.js';

sdkSuite('our worker, official client', ourWorkerKit, officialClientKit);
