/** Nothing in the SDK depends on Perdure: the suites through the open API alone, and on a server that says of itself that it can nothing. */
import { featureSuite } from './sdk/features.js';
import { ourClientKit, ourWorkerKit } from './sdk/kits.js';
import { restSuite } from './sdk/rest.js';
import { behindOpenApi } from './sdk/servers.js';
import { sdkSuite } from './sdk/suite.js';

for (const hideCapabilities of [false, true]) {
  const server = behindOpenApi({ hideCapabilities });
  const where = hideCapabilities ? 'a server without capabilities' : 'the open API alone';
  sdkSuite(`our worker and client, on ${where}`, ourWorkerKit, ourClientKit, server);
  featureSuite(`features, on ${where}`, server);
  restSuite(`the rest, on ${where}`, server);
}
