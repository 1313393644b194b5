/** Replays histories against the present workflow code and says where they part ways. */
import { dirname, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gatherHistories, type RecordedHistory } from '../code/histories.js';
import { type DataConverter, loadSdk, type ReplayWorkerOptions, type Sdk } from '../code/load-sdk.js';
import { bundlerOptions, workflowsFile } from '../code/workflow-code.js';
import type { ReplayOptions } from '../commands/code.js';
import { UserError } from '../errors.js';
import { print, printJson } from '../output/print.js';
import { outcomeOf, type Replayed, reported, summaryOf, summaryText } from '../output/replay-report.js';

export const replayHistories = async (options: ReplayOptions): Promise<void> => {
  const code = options.bundle === undefined ? workflowsFile(options.workflows) : resolve(options.bundle);
  const sdk = await loadSdk([dirname(code), process.cwd()]);
  sdk.Runtime.install({ logger: new sdk.DefaultLogger('ERROR') });
  const replayed: Replayed[] = [];
  for await (const one of replayAll(sdk, await replayOptions(options, code), gatherHistories(options))) {
    replayed.push(one);
    if (options.output === 'table') print(reported(one));
  }
  const summary = summaryOf(replayed);
  if (options.output === 'json') printJson({ workflows: code, ...summary, histories: replayed });
  else print(`\n${summaryText(summary)} (workflows of ${relative('', code)})`);
  if (summary.unreadable > 0 || replayed.length === 0) process.exitCode = 2;
  else if (summary.matching < replayed.length) process.exitCode = 1;
};

const replayOptions = async (options: ReplayOptions, code: string): Promise<ReplayWorkerOptions> => {
  const dataConverter = {
    ...(options.payloadConverter !== undefined && { payloadConverterPath: resolve(options.payloadConverter) }),
    ...(options.failureConverter !== undefined && { failureConverterPath: resolve(options.failureConverter) }),
    ...(options.dataConverter !== undefined && (await dataConverterOf(options.dataConverter))),
  };
  return {
    ...(options.bundle === undefined ? { workflowsPath: code } : { workflowBundle: { codePath: code } }),
    bundlerOptions: bundlerOptions(options),
    dataConverter,
    ...(options.interceptors && { interceptors: { workflowModules: options.interceptors.map((path) => resolve(path)) } }),
  };
};

const dataConverterOf = async (path: string): Promise<DataConverter> => {
  const module = (await import(pathToFileURL(resolve(path)).href).catch((error: Error) => {
    throw new UserError(`--data-converter: ${path} cannot be loaded: ${error.message}`, 2);
  })) as { dataConverter?: DataConverter; default?: DataConverter };
  const found = module.dataConverter ?? module.default;
  if (found === undefined) throw new UserError(`--data-converter: expected ${path} to export dataConverter (or a default), got ${Object.keys(module).join(', ') || 'nothing'}`, 2);
  return found;
};

/** The SDK asks for one history after the other, and answers in that order. */
async function* replayAll(sdk: Sdk, options: ReplayWorkerOptions, histories: AsyncIterable<RecordedHistory>): AsyncGenerator<Replayed> {
  const unreadable: Replayed[] = [];
  let current: RecordedHistory | undefined;
  const readable = async function* () {
    for await (const recorded of histories) {
      if (recorded.unreadable !== undefined) {
        unreadable.push(outcomeOf(recorded, new UserError(recorded.unreadable)));
        continue;
      }
      current = recorded;
      yield { workflowId: recorded.workflowId, history: recorded.history };
    }
  };
  const results = sdk.Worker.runReplayHistories(options, readable())[Symbol.asyncIterator]();
  for (;;) {
    const next = await results.next().catch((error: unknown) => {
      // Not what a history came to: the code could not be bundled or loaded, or there is nothing to replay.
      throw error instanceof UserError || !(error instanceof Error) ? error : new UserError(`The workflow code cannot be replayed: ${error.message}`, 2);
    });
    yield* unreadable.splice(0);
    if (next.done) return;
    if (current) yield outcomeOf(current, next.value.error, next.value.runId);
  }
}
