// Every history that the official worker made (theme `sdk` of the recordings) replays against the same workflow code on this SDK.
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createWorkflowHost } from '../../../worker-sdk/replay/create-workflow-host.js';
import { historyFromJson } from '../../../worker-sdk/replay/history-json.js';
import type { WorkflowHost } from '../../../worker-sdk/replay/workflow-host.js';
import { silentLogger } from './silent-logger.js';

const folder = fileURLToPath(new URL('../../histories/sdk/', import.meta.url));
const readHistory = (name: string) => historyFromJson(readFileSync(`${folder}${name}`, 'utf8'));

let host: WorkflowHost;
beforeAll(async () => {
  host = await createWorkflowHost({
    workflowsPath: `${folder}workflows.js`,
    namespace: 'golden',
    taskQueue: 'golden',
    identity: 'test',
    logger: silentLogger,
    runLocalActivity: () => Promise.reject(new Error('replay must not run local activities')),
  });
});
afterAll(() => host.dispose());

describe('replay of histories that the official worker made', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  // Runs that failed in their code, at the same place then as now.
  const failing: Record<string, RegExp> = {
    'throws-error': /a bug/,
    'unknown-type': /no such function is exported by the workflow bundle/,
  };
  test.each(names)('%s', async (name) => {
    const { error, workflowId } = await host.replayHistory(readHistory(name));
    const expected = Object.keys(failing).find((prefix) => name.startsWith(prefix));
    if (expected) {
      expect(error?.message).toMatch(failing[expected]!);
      return;
    }
    if (error) throw error;
    expect(workflowId).toMatch(/^sdk-/);
  });
});
