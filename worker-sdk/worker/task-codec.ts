/**
 * Workflow tasks and their answers through a user's codecs. Updates travel as packed protocol messages, whose payloads
 * only show once they are unpacked.
 */
import proto, { type google, type temporal } from '@temporalio/proto';
import type { PayloadCodec } from '../payload/codec.js';
import { decodeMessage, encodeMessage } from '../payload/codec.js';
import type { SerializationContext } from '../payload/serialization-context.js';
import type { WorkflowTask, WorkflowTaskCompletion } from '../replay/workflow-host.js';

type ProtocolMessage = temporal.api.protocol.v1.IMessage;
type Transform = (message: object) => Promise<object>;

const { Acceptance, Rejection, Request, Response } = proto.temporal.api.update.v1;
const PACKED = new Map<string, { encode(message: object): { finish(): Uint8Array }; decode(bytes: Uint8Array): object }>(
  Object.entries({ Acceptance, Rejection, Request, Response }).map(([name, type]) => [`temporal.api.update.v1.${name}`, type as never]),
);

/** A task as the host takes it. Without codecs, the task itself. */
export async function decodeTask(
  codecs: readonly PayloadCodec[],
  task: WorkflowTask,
  context: SerializationContext,
): Promise<WorkflowTask> {
  if (codecs.length === 0) return task;
  const { messages, ...rest } = task;
  const transform = (message: object) => decodeMessage(codecs, message, context);
  return { ...(await transform(rest)), messages: await transformMessages(messages, transform) };
}

/** An answer as the server takes it. Without codecs, the answer itself. */
export async function encodeCompletion(
  codecs: readonly PayloadCodec[],
  completion: WorkflowTaskCompletion,
  context: SerializationContext,
): Promise<WorkflowTaskCompletion> {
  if (codecs.length === 0) return completion;
  const { messages, ...rest } = completion;
  const transform = (message: object) => encodeMessage(codecs, message, context);
  return { ...(await transform(rest)), messages: await transformMessages(messages, transform) };
}

function transformMessages(messages: ProtocolMessage[] | null | undefined, transform: Transform): Promise<ProtocolMessage[]> {
  return Promise.all((messages ?? []).map(async (message) => ({ ...message, body: await repack(message.body, transform) })));
}

/** Unpacks, transforms and packs again; what is not known stays as it is. */
async function repack(
  body: google.protobuf.IAny | null | undefined,
  transform: Transform,
): Promise<google.protobuf.IAny | null | undefined> {
  const name = body?.type_url?.slice(body.type_url.lastIndexOf('/') + 1) ?? '';
  const type = PACKED.get(name);
  if (!type || !body?.value) return body;
  return { type_url: body.type_url, value: type.encode(await transform(type.decode(body.value))).finish() };
}
