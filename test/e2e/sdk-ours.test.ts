/** Our worker with our client. */
import { ourClientKit, ourWorkerKit } from './sdk/kits.js';
import { sdkSuite } from './sdk/suite.js';

sdkSuite('our worker, our client', ourWorkerKit, ourClientKit);
