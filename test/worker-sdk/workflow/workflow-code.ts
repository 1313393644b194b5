/** Workflow code that a test writes down, in hosts and files that go with the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import type { WorkflowHost, WorkflowHostOptions } from '../../../worker-sdk/replay/workflow-host.js';
import { makeHost } from '../replay/make-host.js';

/** For one file of tests: a file beside it (where imports of the SDK resolve), and a host of code. */
export function useWorkflowCode(): {
  file(name: string, text: string): string;
  open(code: string, options?: Partial<WorkflowHostOptions>): Promise<WorkflowHost>;
} {
  const folder = mkdtempSync(fileURLToPath(new URL('./.extensions-', import.meta.url)));
  let hosts: WorkflowHost[] = [];
  afterEach(() => {
    for (const host of hosts) host.dispose();
    hosts = [];
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return {
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    async open(code, options = {}) {
      const host = await makeHost(code, options);
      hosts.push(host);
      return host;
    },
  };
}
