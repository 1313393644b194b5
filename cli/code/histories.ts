/** Gathers the histories to replay: from files as any tool of the open API writes them, and from the server. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { temporal } from '@temporalio/proto';
import type { ReplayOptions } from '../commands/code.js';
import { UserError } from '../errors.js';
import { type Connection, withServer } from '../rpc/connection.js';
import { toProtoJson } from '../rpc/open-api.js';
import { readHistory } from '../rpc/read-history.js';

/** A history, or why there is none. */
export interface RecordedHistory {
  /** File, or workflow id on the server. */
  readonly source: string;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly events: number;
  /** JSON of the open API, or bytes. */
  readonly history?: unknown;
  readonly unreadable?: string;
}

interface JsonEvent {
  readonly workflowExecutionStartedEventAttributes?: { readonly workflowId?: string; readonly workflowType?: { readonly name?: string } };
}

/** One after the other, so that only one is in memory. */
export async function* gatherHistories(options: ReplayOptions): AsyncGenerator<RecordedHistory> {
  const { history: paths = [], workflowId: ids = [], query, runId } = options;
  if (paths.length === 0 && ids.length === 0 && query === undefined) {
    throw new UserError('Nothing to replay: name files with --history, workflows of the server with --workflow-id, or a --query for them.', 2);
  }
  if (runId !== undefined && ids.length !== 1) throw new UserError(`--run-id goes with one --workflow-id, got ${ids.length}`, 2);
  for (const path of paths) yield* fromPath(path);
  for (const id of ids) yield await fromServer(id, runId, options);
  if (query !== undefined) {
    for (const found of await runsOf(query, options)) yield await fromServer(found.workflowId ?? '', found.runId ?? '', options);
  }
}

async function* fromPath(path: string): AsyncGenerator<RecordedHistory> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw new UserError(`--history: expected a file or a folder, got ${path}, which does not exist`, 2);
  if (!found.isDirectory()) return yield* fromFile(path);
  const names = (await readdir(path, { recursive: true })).filter((name) => name.endsWith('.json')).sort();
  if (names.length === 0) throw new UserError(`--history: expected histories as .json files in ${path}, found none`, 2);
  for (const name of names) yield* fromFile(join(path, name));
}

async function* fromFile(path: string): AsyncGenerator<RecordedHistory> {
  const nameless = { source: path, workflowId: basename(path).replace(/\.[^.]+$/, ''), workflowType: '', events: 0 };
  try {
    const bytes = await readFile(path);
    for (const history of historiesIn(JSON.parse(bytes.toString('utf8')))) yield described(history, nameless);
  } catch (error) {
    yield { ...nameless, unreadable: `not the JSON of a history: ${(error as Error).message}` };
  }
}

/** A history, the answer of GetWorkflowExecutionHistory that holds one, a list of events, or a list of histories. */
const historiesIn = (json: unknown): unknown[] => {
  if (Array.isArray(json)) return json.some((item) => isObject(item) && ('events' in item || 'history' in item)) ? json.flatMap(historiesIn) : [{ events: json as unknown[] }];
  if (isObject(json) && isObject(json['history'])) return [json['history']];
  if (isObject(json) && Array.isArray(json['events'])) return [json];
  throw new Error(`expected an object with "events", got ${isObject(json) ? `one with ${Object.keys(json).slice(0, 5).join(', ') || 'nothing'}` : typeof json}`);
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

const described = (history: unknown, nameless: RecordedHistory): RecordedHistory => {
  const { events } = history as { events: JsonEvent[] };
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  return { ...nameless, history, events: events.length, workflowId: started?.workflowId || nameless.workflowId, workflowType: started?.workflowType?.name ?? '' };
};

const fromServer = (workflowId: string, runId: string | undefined, options: ReplayOptions): Promise<RecordedHistory> =>
  onServer(options, async (server) => {
    const events = await readHistory(server, workflowId, { namespace: options.namespace, ...(runId !== undefined && { runId }) });
    const history = toProtoJson('temporal.api.history.v1.History', { events });
    return described(history, { source: `${options.address} ${options.namespace}/${workflowId}`, workflowId, workflowType: '', events: 0 });
  });

const runsOf = (query: string, options: ReplayOptions): Promise<temporal.api.common.v1.IWorkflowExecution[]> =>
  onServer(options, async (server) => {
    const api = await server.workflows();
    const found: temporal.api.common.v1.IWorkflowExecution[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await api.listWorkflowExecutions({ namespace: options.namespace, query, pageSize: Math.min(1000, options.limit - found.length), nextPageToken });
      found.push(...page.executions.map(({ execution }) => execution ?? {}));
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0 && found.length < options.limit);
    return found;
  });

/** What the server refuses says nothing about the code. */
const onServer = <T>(options: ReplayOptions, verb: (server: Connection) => Promise<T>): Promise<T> =>
  withServer(options, verb).catch((error: unknown) => {
    throw error instanceof UserError ? new UserError(error.message, 2) : error;
  });
