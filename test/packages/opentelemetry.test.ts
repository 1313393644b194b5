// Tracing from the package as it is published, for whoever requires it and for whoever imports it: the sandbox must have one copy of the SDK.
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { installPacked, root } from './pack.js';

const { project } = installPacked('worker-sdk');
afterAll(() => rmSync(project, { recursive: true }));

const history = join(root, 'test/histories/sdk/one-activity.json');

const PROGRAM = `
  const spans = [];
  const plugin = new OpenTelemetryPlugin({ resource: {}, spanProcessor: { onEnd: (span) => spans.push(span.name) } });
  const workflowsPath = path.join(__dirname, 'workflows.js');
  const main = async () => {
    const { code } = await bundleWorkflowCode({ workflowsPath, plugins: [plugin], logger: { info() {} } });
    await Worker.runReplayHistory({ workflowBundle: { code }, plugins: [plugin] }, JSON.parse(fs.readFileSync(process.argv[2], 'utf8')));
    // With a second copy of the SDK the interceptors would not know of the run.
    console.log('replayed');
  };
  main();
`;

test.each([
  [
    'program.cjs',
    `const fs = require('fs'), path = require('path'), { bundleWorkflowCode, Worker } = require('@perdure/sdk/worker'), { OpenTelemetryPlugin } = require('@perdure/sdk/opentelemetry');${PROGRAM}`,
  ],
  [
    'program.mjs',
    `import fs from 'fs'; import path from 'path'; import { bundleWorkflowCode, Worker } from '@perdure/sdk/worker'; import { OpenTelemetryPlugin } from '@perdure/sdk/opentelemetry'; const __dirname = import.meta.dirname;${PROGRAM}`,
  ],
])('%s', (name, text) => {
  writeFileSync(join(project, 'workflows.js'), "import { proxyActivities } from '@perdure/sdk/workflow';\nexport async function oneActivity(name) { return proxyActivities({ startToCloseTimeout: '10s' }).hello(name); }\n");
  writeFileSync(join(project, name), text);
  const { stdout, stderr } = spawnSync(process.execPath, [join(project, name), history], { encoding: 'utf8' });
  expect([stdout.trim(), stderr]).toEqual(['replayed', '']);
});
