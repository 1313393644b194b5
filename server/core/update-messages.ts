/** What workers say about updates, message by message: each accepts, rejects or completes one, or fails the workflow task. */
import { api, enums, type temporal, toNumber } from './api.js';
import type { CommandContext } from './command-context.js';
import { invalidArgument } from './errors.js';
import { isRunning } from './kinds/run.js';
import { typeName } from './kinds/speculative-task.js';
import { acceptUpdate, completeUpdate, findUpdate, type KnownUpdate, readmitUpdate, rejectUpdate } from './kinds/update.js';
import { TaskFault } from './task-fault.js';

type Message = temporal.api.protocol.v1.IMessage;
type Body = { type: string; value: Uint8Array };
const V1 = 'temporal.api.update.v1';
const { Acceptance, Rejection, Response } = api.update.v1;

/** The messages of one completion: a PROTOCOL_MESSAGE command takes the one that it names, the rest follow the commands. */
export class Messages {
  private readonly left: Message[];
  /** Updates that these messages have rejected. */
  readonly rejected = new Set<string>();

  constructor(messages: readonly Message[] | null | undefined) {
    this.left = [...(messages ?? [])];
  }

  take(id: string): Message | undefined {
    const at = this.left.findIndex((message) => message.id === id);
    return at < 0 ? undefined : this.left.splice(at, 1)[0];
  }

  next(): Message | undefined {
    return this.left.shift();
  }
}

const badMessage = (text: string, terminatesRun = false): TaskFault =>
  new TaskFault(enums.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_BAD_UPDATE_WORKFLOW_EXECUTION_MESSAGE, text, terminatesRun);

/** The message that a command names, at the command's place. */
export function handleNamedMessage(context: CommandContext, messageId: string): void {
  const message = context.messages.take(messageId);
  if (!message) throw badMessage(`ProtocolMessageCommand referenced absent message ID ${messageId}`);
  handleMessage(context, message);
}

/** Messages that no command names, in their order, after the commands. */
export function handleOtherMessages(context: CommandContext): void {
  for (let message = context.messages.next(); message; message = context.messages.next()) handleMessage(context, message);
}

function handleMessage(context: CommandContext, message: Message): void {
  const body = bodyOf(message);
  if (body.value.length > context.turn.limits.payloadSizeMax) throw badMessage(`Message type ${body.type} exceeds size limit.`, true);
  const protocol = body.type.slice(0, body.type.lastIndexOf('.'));
  if (protocol !== V1) throw badMessage(`unsupported protocol type ${protocol}`);
  const updateId = message.protocolInstanceId ?? '';
  const update = known(context, updateId) ?? readmitted(context, updateId, body);
  if (!update) {
    throw badMessage(
      `update ${updateId} wasn't found on the server, and the message does not carry the request that would make it known again`,
    );
  }
  switch (body.type) {
    case `${V1}.Acceptance`:
      accept(context, update, decoded(Acceptance, body));
      break;
    case `${V1}.Rejection`:
      reject(context, update, decoded(Rejection, body));
      break;
    case `${V1}.Response`:
      respond(context, update, decoded(Response, body));
      break;
    default:
      throw badMessage(`Message type ${body.type} not supported`);
  }
}

/** A message that cannot even be recognised: the worker is told, and the task stays as it was. */
function bodyOf({ body }: Message): Body {
  if (!body) throw invalidArgument('nil message body');
  const type = typeName(body.type_url);
  if (!type) throw invalidArgument('no message name specified');
  if (!type.includes('.')) throw invalidArgument(`failed to extract protocol type: no . found in "${type}"`);
  return { type, value: body.value ?? new Uint8Array() };
}

function decoded<M>(codec: { decode(bytes: Uint8Array): M }, body: Body): M {
  try {
    return codec.decode(body.value);
  } catch {
    throw badMessage(`unable to unmarshal request: the message is no ${body.type}`);
  }
}

type Update = KnownUpdate | { stage: 'rejected'; updateId: string };

function known({ turn, messages }: CommandContext, updateId: string): Update | undefined {
  return findUpdate(turn.state, updateId) ?? (messages.rejected.has(updateId) ? { stage: 'rejected', updateId } : undefined);
}

/** An update that this server has forgotten, and whose worker sends the request back. */
function readmitted({ turn }: CommandContext, updateId: string, body: Body): Update | undefined {
  const request =
    body.type === `${V1}.Acceptance`
      ? decoded(Acceptance, body).acceptedRequest
      : body.type === `${V1}.Rejection`
        ? decoded(Rejection, body).rejectedRequest
        : undefined;
  return request ? { stage: 'admitted', ...readmitUpdate(turn, updateId, request) } : undefined;
}

function accept(context: CommandContext, update: Update, message: temporal.api.update.v1.IAcceptance): void {
  const { turn } = context;
  if (!isRunning(turn.state)) return; // the run's end decides
  if (update.stage !== 'admitted') throw wrongState(context, update, 'Acceptance');
  if (!toNumber(message.acceptedRequestSequencingEventId)) throw unset('Acceptance', 'accepted_request_sequencing_event_id');
  if (!message.acceptedRequestMessageId) throw unset('Acceptance', 'accepted_request_message_id');
  acceptUpdate(turn, update, message);
}

function reject(context: CommandContext, update: Update, message: temporal.api.update.v1.IRejection): void {
  if (update.stage !== 'admitted') throw wrongState(context, update, 'Rejection');
  rejectUpdate(context.turn, update, message.failure);
  context.messages.rejected.add(update.updateId);
}

function respond(context: CommandContext, update: Update, message: temporal.api.update.v1.IResponse): void {
  const { turn } = context;
  if (!isRunning(turn.state)) return;
  if (update.stage !== 'accepted') throw wrongState(context, update, 'Response');
  if (!message.meta) throw unset('Response', 'meta');
  if (!message.meta.updateId) throw unset('Response', 'meta.update_id');
  if (message.meta.updateId !== update.updateId) throw badMessage(`invalid *update.Response: meta.update_id != ${update.updateId}`);
  if (!message.outcome) throw unset('Response', 'outcome');
  completeUpdate(turn, update, message);
}

const unset = (type: string, field: string): TaskFault => badMessage(`invalid *update.${type}: ${field} is not set`);

const wrongState = (context: CommandContext, update: Update, type: string): TaskFault =>
  badMessage(
    `invalid state transition attempted for Update ${update.updateId}: received *update.${type} message while in state ${stateName(context, update)}`,
  );

/** The state's name as SDKs and people know it; what this very task did is provisional until it is written. */
function stateName({ completedEventId, turn }: CommandContext, update: Update): string {
  const provisional = (eventId: number): string => (eventId > (completedEventId || turn.firstEventId) ? 'Provisionally' : '');
  switch (update.stage) {
    case 'admitted':
      return update.sentWith > 0 ? 'Sent' : 'Admitted';
    case 'accepted':
      return `${provisional(update.acceptedEventId)}Accepted`;
    case 'completed':
      return `${provisional(update.completedEventId)}Completed`;
    case 'rejected':
      return 'ProvisionallyCompleted';
  }
}
