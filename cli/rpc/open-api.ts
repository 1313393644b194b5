/** The open workflow API for the command line: a typed client, and ProtoJSON of its messages. Loading it costs about 100 ms. */
import { createRequire } from 'node:module';
import proto, { type temporal } from '@temporalio/proto';
import type { Send } from './connection.js';

export type WorkflowService = temporal.api.workflowservice.v1.WorkflowService;

/** What protobufjs offers on the package's reflection root, which its types describe as generated classes. */
interface ReflectionRoot {
  lookupService(name: string): { create(rpc: RpcImplementation): WorkflowService };
  lookupType(name: string): object;
  lookupEnum(name: string): { readonly valuesById: Readonly<Record<number, string>> };
}

type RpcImplementation = (method: { name: string }, request: Uint8Array, done: (error: Error | null, response: Uint8Array | null) => void) => void;

const root = proto as unknown as ReflectionRoot;

const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';

/** Calls whose answer the server holds back until something happens. */
const WAITING_MS = 90_000;
const WAITING = new Set(['GetWorkflowExecutionHistory', 'QueryWorkflow']);

export const workflowService = (send: Send): WorkflowService =>
  root.lookupService(SERVICE).create((method, request, done) => {
    send(`/${SERVICE}/${method.name}`, request, WAITING.has(method.name) ? WAITING_MS : undefined).then(
      (response) => done(null, response),
      (error: Error) => done(error, null),
    );
  });

/** Name of an enum's value, such as `EVENT_TYPE_TIMER_FIRED`; the number itself when the API has none. */
export const enumName = (enumType: string, value: number | null | undefined): string => root.lookupEnum(enumType).valuesById[value ?? 0] ?? String(value);

interface ProtoJson {
  toJson(type: object, message: object): unknown;
}

/** The official JSON form: int64 as text, enums by name, bytes in base64. */
export const toProtoJson = (typeName: string, message: object): unknown => {
  // the copy of protobufjs that made the types: another copy would not know them
  const near = createRequire(createRequire(import.meta.url).resolve('@temporalio/proto'));
  const { toJson } = near('protobufjs/ext/protojson') as ProtoJson;
  return toJson(root.lookupType(typeName), message);
};
