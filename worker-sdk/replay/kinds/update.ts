/**
 * An update: requested -> accepted -> completed, or rejected. Its answers are protocol messages; each has a PROTOCOL_MESSAGE command that
 * gives its place among the commands, except a rejection, which leaves no trace.
 */
import proto, { type temporal } from '@temporalio/proto';
import type { HistoryEvent, Payload, ProtoFailure } from '../../definitions/api.js';
import { int64 } from '../../definitions/api.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import { ReplayError } from '../nondeterminism.js';
import type { WorkflowCommand } from '../protocol.js';
import { CommandType } from './command.js';

const { Acceptance, Rejection, Response } = proto.temporal.api.update.v1;
type Request = temporal.api.update.v1.IRequest;
export type ProtocolMessage = temporal.api.protocol.v1.IMessage;
type Outcome = temporal.api.update.v1.IOutcome;

/** An update request, as a message of a task or made up from history. */
export interface UpdateRequest {
  messageId: string;
  /** The update id. */
  instanceId: string;
  /** Event after which the request was handled. */
  sequencingEventId: number;
  request: Request;
}

type State = 'requested' | 'accept queued' | 'accepted' | 'complete queued' | 'completed' | 'rejected';

/** Where the machine puts its messages. */
export interface MessageSink {
  pushMessage(message: ProtocolMessage): void;
}

export class UpdateMachine extends Machine {
  #state: State = 'requested';
  /** Whether the event of the acceptance is still to come. */
  #acceptanceUnrecorded = false;
  #request: Request | undefined;
  readonly #messageId: string;
  readonly #sequencingEventId: number;
  readonly #meta: Request['meta'];
  readonly instanceId: string;
  readonly #name: string;

  constructor(
    owner: MachineOwner,
    private readonly messages: MessageSink,
    { messageId, instanceId, sequencingEventId, request }: UpdateRequest,
  ) {
    super(owner);
    const { input, meta } = request;
    if (!input || !meta)
      throw new ReplayError(`Update '${instanceId}': expected a request with input and meta, got ${JSON.stringify(request)}`);
    this.#request = request;
    this.#messageId = messageId;
    this.#sequencingEventId = sequencingEventId;
    this.#meta = meta;
    this.instanceId = instanceId;
    this.#name = input.name ?? '';
    owner.pushJob({
      doUpdate: {
        id: meta.updateId,
        protocolInstanceId: instanceId,
        name: this.#name,
        input: input.args?.payloads ?? [],
        headers: input.header?.fields ?? {},
        meta,
        runValidator: !owner.replaying,
      },
    });
  }

  describe(): string {
    return `${this.#acceptanceUnrecorded ? 'accepted' : 'completed'} update '${this.#name}' (id '${this.instanceId}')`;
  }

  /** The workflow's answer. */
  respond(response: NonNullable<WorkflowCommand['updateResponse']>): void {
    if (response.accepted) this.#accept();
    else if (response.rejected && this.#state === 'requested') this.#reject(response.rejected);
    else if (response.rejected) this.#complete({ failure: response.rejected });
    else if (response.completed) this.#complete({ success: { payloads: [response.completed as Payload] } });
  }

  commandRecorded(event: HistoryEvent): void {
    if (this.#acceptanceUnrecorded) {
      this.expect(event, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED);
      if (event.workflowExecutionUpdateAcceptedEventAttributes?.protocolInstanceId !== this.instanceId) throw this.mismatch(event);
      this.#acceptanceUnrecorded = false;
      if (this.#state === 'accept queued') this.#state = 'accepted';
    } else {
      this.expect(event, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_COMPLETED);
      this.#state = 'completed';
      this.done = true;
    }
  }

  #accept(): void {
    if (this.#state !== 'requested') throw new ReplayError(`Update '${this.instanceId}': cannot be accepted once it is ${this.#state}`);
    this.#state = 'accept queued';
    this.#acceptanceUnrecorded = true;
    const body = Acceptance.encode({
      acceptedRequestMessageId: this.#messageId,
      acceptedRequestSequencingEventId: int64(this.#sequencingEventId),
      acceptedRequest: this.#request,
    }).finish();
    this.#request = undefined;
    this.#send('accept', 'Acceptance', body, true);
  }

  #reject(failure: ProtoFailure): void {
    this.#state = 'rejected';
    this.done = true;
    const body = Rejection.encode({
      rejectedRequestMessageId: this.#messageId,
      rejectedRequestSequencingEventId: int64(this.#sequencingEventId),
      rejectedRequest: this.#request,
      failure,
    }).finish();
    this.#send('reject', 'Rejection', body, false);
  }

  #complete(outcome: Outcome): void {
    if (this.#state !== 'accept queued' && this.#state !== 'accepted') {
      throw new ReplayError(`Update '${this.instanceId}': cannot be completed while it is ${this.#state}`);
    }
    this.#state = 'complete queued';
    this.#send('complete', 'Response', Response.encode({ meta: this.#meta, outcome }).finish(), true);
  }

  #send(suffix: string, type: string, value: Uint8Array, withCommand: boolean): void {
    const id = `${this.#messageId}/${suffix}`;
    // While replaying the server has these answers already.
    if (!this.owner.replaying) {
      const body = { type_url: `type.googleapis.com/temporal.api.update.v1.${type}`, value };
      this.messages.pushMessage({ id, protocolInstanceId: this.instanceId, body });
    }
    if (!withCommand) return;
    this.owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_PROTOCOL_MESSAGE,
      protocolMessageCommandAttributes: { messageId: id },
    });
  }
}

/** Reads an update request out of a message that came with a workflow task. */
export function updateRequestOf(message: ProtocolMessage): UpdateRequest {
  const type = message.body?.type_url ?? '';
  if (!type.endsWith('temporal.api.update.v1.Request')) {
    throw new ReplayError(`Protocol message '${message.id}': expected an update request, got '${type}'`);
  }
  return {
    messageId: message.id ?? '',
    instanceId: message.protocolInstanceId ?? '',
    sequencingEventId: Number(message.eventId ?? 0),
    request: proto.temporal.api.update.v1.Request.decode(message.body!.value as Uint8Array),
  };
}

/** The request that must have come before an update was accepted or durably admitted in history. */
export function updateRequestInHistory(event: HistoryEvent, eventId: number): UpdateRequest {
  const accepted = event.workflowExecutionUpdateAcceptedEventAttributes;
  if (accepted) {
    return {
      messageId: accepted.acceptedRequestMessageId ?? '',
      instanceId: accepted.protocolInstanceId ?? '',
      sequencingEventId: Number(accepted.acceptedRequestSequencingEventId ?? 0),
      request: accepted.acceptedRequest ?? {},
    };
  }
  const request = event.workflowExecutionUpdateAdmittedEventAttributes?.request ?? {};
  const instanceId = request.meta?.updateId ?? '';
  return { messageId: `${instanceId}/request`, instanceId, sequencingEventId: eventId, request };
}
