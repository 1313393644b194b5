import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Engine } from '../../server/engine/engine.js';
import { operatorHandlers, workflowHandlers } from '../../server/engine/handlers.js';
import { SWITCHED_OFF } from '../../server/engine/switched-off.js';
import { clusterHandlers, systemHandlers } from '../../server/engine/system-info.js';
import { testHandlers } from '../../server/engine/test-service.js';
import type { TimeSkipping } from '../../server/engine/time-skipping.js';
import { OPERATOR_SERVICE, openApiService, TEST_SERVICE, WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';

const facts = { clusterId: '', address: () => ({ grpc: '', http: '' }) };
const engine = {} as Engine;

/** The rows of a service's table: method to state. */
function documented(service: string): Map<string, string> {
  const text = readFileSync('docs/api.md', 'utf8');
  const section = text.split('\n## ').find((part) => part.startsWith(service)) ?? '';
  return new Map([...section.matchAll(/^\| (\w+) \| (served|switched off|not served) \|/gm)].map(([, method = '', state = '']) => [method, state]));
}

test.each([
  [WORKFLOW_SERVICE, 123, { ...systemHandlers(facts), ...workflowHandlers(engine) }],
  [OPERATOR_SERVICE, 12, { ...clusterHandlers(facts), ...operatorHandlers(engine) }],
  [TEST_SERVICE, 6, testHandlers({} as TimeSkipping)],
])('docs/api.md says of every method of %s whether it is served (npm run api-doc writes it)', (service, count, handlers) => {
  const methods = Object.keys(openApiService(service));
  expect(methods).toHaveLength(count);
  expect(documented(service)).toEqual(new Map(methods.map((method) => [method, SWITCHED_OFF.includes(method) ? 'switched off' : method in handlers ? 'served' : 'not served'])));
});
