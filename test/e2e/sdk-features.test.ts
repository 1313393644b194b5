/** What our worker and client offer beyond the common suite. */
import { featureSuite } from './sdk/features.js';
import { restSuite } from './sdk/rest.js';

featureSuite('our worker and client');
restSuite('the rest of the SDK');
