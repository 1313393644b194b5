// `npm run api-doc`: writes docs/api.md, the list of the open API's methods and whether this server has them, from the maps of its use cases.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, requireNode, ROOT } from './prepare.mjs';

requireNode();
await build(['server']);
const load = (path) => import(pathToFileURL(join(ROOT, 'server', 'dist', path)).href);
const { operatorHandlers, workflowHandlers } = await load('engine/handlers.js');
const { SWITCHED_OFF } = await load('engine/switched-off.js');
const { clusterHandlers, systemHandlers } = await load('engine/system-info.js');
const { testHandlers } = await load('engine/test-service.js');
const { OPERATOR_SERVICE, openApiService, TEST_SERVICE, WORKFLOW_SERVICE } = await load('transport/grpc/open-api.js');

// the maps are made without asking the engine for anything
const SERVICES = [
  [WORKFLOW_SERVICE, { ...systemHandlers({}), ...workflowHandlers({}) }],
  [OPERATOR_SERVICE, { ...clusterHandlers({}), ...operatorHandlers({}) }],
  [TEST_SERVICE, testHandlers({}), 'On servers in test mode only (`server start-dev --time-skipping`, see [testing.md](testing.md)).'],
];

/** What a method that is not there belongs to. The first that matches counts. */
const FEATURES = [
  [/Nexus/, 'Nexus'],
  [/Schedule/, 'schedules'],
  [/Batch/, 'batch operations'],
  [/Deployment|BuildId|VersioningRules|Reachability|ComputeConfig/, 'worker versioning'],
  [/ActivityExecution|PauseActivityExecution/, 'standalone activities'],
  [/WorkflowRule/, 'workflow rules'],
  [/RemoteCluster/, 'more than one cluster'],
  [/^(ListWorkers|CountWorkers|DescribeWorker|RecordWorkerHeartbeat|FetchWorkerConfig|UpdateWorkerConfig)$/, 'worker registry'],
  [/Archived/, 'archival'],
  [/TimeSkipping/, 'time skipping'],
];

const note = (method) => FEATURES.find(([pattern]) => pattern.test(method))?.[1] ?? '';

const stateOf = (method, handlers) => {
  if (SWITCHED_OFF.includes(method)) return `switched off | ${note(method)}`;
  return method in handlers ? 'served |' : `not served | ${note(method)}`;
};

const section = ([service, handlers, remark]) => {
  const methods = Object.keys(openApiService(service));
  const served = methods.filter((method) => method in handlers && !SWITCHED_OFF.includes(method));
  const rows = methods.map((method) => (`| ${method} | ${stateOf(method, handlers)} |`));
  return [
    `## ${service}`,
    '',
    `${served.length} of ${methods.length} methods are served.${remark ? ` ${remark}` : ''}`,
    '',
    '| method | state | belongs to |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
};

const text = `# The open API, method by method

Made by \`npm run api-doc\` from the maps of use cases in \`server/engine/\`; a test holds it against them. A method that is not served answers
UNIMPLEMENTED with its name, and the capability that would lead a client to it is off. One that is switched off belongs to a feature that the
reference server, too, keeps switched off; it answers UNIMPLEMENTED in the same words. How answers differ from the reference server's is in
[test/golden-differences.md](../test/golden-differences.md).

${SERVICES.map(section).join('\n')}`;

mkdirSync(join(ROOT, 'docs'), { recursive: true });
writeFileSync(join(ROOT, 'docs', 'api.md'), text);
