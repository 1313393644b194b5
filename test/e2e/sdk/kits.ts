/** Workers and clients of either SDK, so that every pair of them runs the same suite. */
import { fileURLToPath } from 'node:url';
import * as officialActivity from '@temporalio/activity';
import * as officialClient from '@temporalio/client';
import * as officialWorker from '@temporalio/worker';
import * as ourActivity from '../../../worker-sdk/activity/index.js';
import * as ourClient from '../../../worker-sdk/client/index.js';
import * as ourWorker from '../../../worker-sdk/worker/index.js';
import { makeActivities } from './activities.js';

/** A running worker. */
export interface RunningWorker {
  /** Stops it and waits for its end; throws what it failed with. */
  stop(): Promise<void>;
}

export interface WorkerKit {
  start(address: string, taskQueue: string): Promise<RunningWorker>;
}

/** Both clients have this type as far as the suite goes; that it compiles and runs against either is a part of the test. */
export interface ClientKit {
  connect(address: string): Promise<{ client: ourClient.Client; close(): Promise<void> }>;
}

const workflowsPath = fileURLToPath(new URL('./workflows.ts', import.meta.url));
const quiet = () => undefined;
const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet };

async function running(worker: { run(): Promise<void>; shutdown(): void }, close: () => Promise<void>): Promise<RunningWorker> {
  const run = worker.run();
  run.catch(quiet);
  return {
    async stop() {
      worker.shutdown();
      await run;
      await close();
    },
  };
}

export const ourWorkerKit: WorkerKit = {
  async start(address, taskQueue) {
    installOurRuntime();
    const connection = await ourWorker.NativeConnection.connect({ address });
    const worker = await ourWorker.Worker.create({ connection, taskQueue, workflowsPath, activities: makeActivities(ourActivity) });
    return running(worker, () => connection.close());
  },
};

let ourRuntimeInstalled = false;
export function installOurRuntime(): void {
  if (!ourRuntimeInstalled) ourWorker.Runtime.install({ logger });
  ourRuntimeInstalled = true;
}

let officialRuntimeInstalled = false;
export function installOfficialRuntime(): void {
  if (officialRuntimeInstalled) return;
  const filter = officialWorker.makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' });
  officialWorker.Runtime.install({ logger, telemetryOptions: { logging: { filter } } });
  officialRuntimeInstalled = true;
}

export const officialWorkerKit: WorkerKit = {
  async start(address, taskQueue) {
    installOfficialRuntime();
    const connection = await officialWorker.NativeConnection.connect({ address });
    const worker = await officialWorker.Worker.create({
      connection,
      taskQueue,
      workflowsPath,
      activities: makeActivities(officialActivity),
      bundlerOptions: {
        webpackConfigHook: (config) => {
          config.resolve ??= {};
          config.resolve.alias = { ...config.resolve.alias, '@perdure/sdk/workflow': '@temporalio/workflow' };
          return config;
        },
      },
    });
    return running(worker, () => connection.close());
  },
};

export const ourClientKit: ClientKit = {
  async connect(address) {
    const connection = await ourClient.Connection.connect({ address });
    return { client: new ourClient.Client({ connection }), close: () => connection.close() };
  },
};

export const officialClientKit: ClientKit = {
  async connect(address) {
    const connection = await officialClient.Connection.connect({ address });
    return { client: new officialClient.Client({ connection }) as unknown as ourClient.Client, close: () => connection.close() };
  },
};
