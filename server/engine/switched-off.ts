/**
 * Methods of features that the open API has and that its reference server keeps switched off. They are switched off here too: a caller that
 * names a namespace of this server is told so in the same words.
 */
import { unimplemented } from '../core/errors.js';
import type { Call } from './call.js';
import type { Engine } from './engine.js';

const rule = (method: string): [string, string] => [method, `method ${method} not supported`];
const workerCommand = (method: string): [string, string] => [method, `${method} command is not enabled.`];

const TEXTS: ReadonlyMap<string, string> = new Map([
  ...['CreateWorkflowRule', 'DescribeWorkflowRule', 'DeleteWorkflowRule', 'ListWorkflowRules', 'TriggerWorkflowRule'].map(rule),
  ...['FetchWorkerConfig', 'UpdateWorkerConfig'].map(workerCommand),
]);

export const SWITCHED_OFF: readonly string[] = [...TEXTS.keys()];

export async function refuseSwitchedOff(_engine: Engine, _request: object, call: Call): Promise<object> {
  throw unimplemented(TEXTS.get(call.method)!);
}
