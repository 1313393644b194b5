/** Our client with the official worker. */
import { officialWorkerKit, ourClientKit } from './sdk/kits.js';
import { sdkSuite } from './sdk/suite.js';

sdkSuite('official worker, our client', officialWorkerKit, ourClientKit);
