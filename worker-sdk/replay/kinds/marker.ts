/** Markers: patches (which version of the code a run follows) and records of the workflow's own. */
import type { HistoryEvent, Payload } from '../../definitions/api.js';
import { EventType } from '../events.js';
import { Machine, type MachineOwner } from '../machine.js';
import type { RecordMarker, WorkflowCommand } from '../protocol.js';
import { CoreFlag } from '../sdk-flags.js';
import { CommandType, metadataOf } from './command.js';
import { UpsertMachine } from './upsert.js';

export const PATCH_MARKER = 'core_patch';
export const VERSION_SEARCH_ATTRIBUTE = 'TemporalChangeVersion';
/** Above this a search attribute is not written: the server would refuse it. */
const MAX_SEARCH_ATTRIBUTE_BYTES = 2048;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function jsonPayload(value: unknown, type?: string): Payload {
  const metadata: Record<string, Uint8Array> = { encoding: encoder.encode('json/plain') };
  if (type) metadata.type = encoder.encode(type);
  return { metadata, data: encoder.encode(JSON.stringify(value)) };
}

/** The JSON in a detail of a marker. */
export function markerDetail<T>(event: HistoryEvent, name: string): T | undefined {
  const data = event.markerRecordedEventAttributes?.details?.[name]?.payloads?.[0]?.data;
  if (!data) return undefined;
  try {
    return JSON.parse(decoder.decode(data)) as T;
  } catch {
    return undefined;
  }
}

/** Id of the patch a marker records, and whether the code called deprecatePatch; `undefined` for other events. */
export function patchOf(event: HistoryEvent): { id: string; deprecated: boolean } | undefined {
  if (event.markerRecordedEventAttributes?.markerName !== PATCH_MARKER) return undefined;
  const details = markerDetail<{ id?: string; deprecated?: boolean }>(event, 'patch-data');
  if (details?.id !== undefined) return { id: details.id, deprecated: Boolean(details.deprecated) };
  // The form that old cores wrote.
  const raw = event.markerRecordedEventAttributes.details;
  const id = raw?.patch_id?.payloads?.[0]?.data;
  return id ? { id: decoder.decode(id), deprecated: Boolean(raw?.deprecated?.payloads?.[0]?.data?.[0]) } : undefined;
}

export class PatchMachine extends Machine {
  readonly patchId: string;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const { patchId, deprecated } = command.setPatchMarker!;
    this.patchId = patchId!;
    owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
      recordMarkerCommandAttributes: {
        markerName: PATCH_MARKER,
        details: { 'patch-data': { payloads: [jsonPayload({ id: patchId, deprecated: Boolean(deprecated) })] } },
      },
      ...metadataOf(command),
    });
  }

  describe(): string {
    return `called patched('${this.patchId}')`;
  }

  commandRecorded(event: HistoryEvent): void {
    if (patchOf(event)?.id !== this.patchId) throw this.mismatch(event);
    this.done = true;
  }
}

/** What the machine knows of a patch. */
export interface KnownPatch {
  /** The code asked for it, so that history has, or will have, its marker. */
  issued: boolean;
}

/** Issues a patch's marker and the search attribute that lists all patches of the run. Asking twice does nothing. */
export function setPatch(owner: MachineOwner, patches: Map<string, KnownPatch>, command: WorkflowCommand): PatchMachine | undefined {
  const id = command.setPatchMarker!.patchId!;
  const known = patches.get(id);
  if (known?.issued) return undefined;
  const machine = new PatchMachine(owner, command);
  const inHistory = known !== undefined;
  const upserts = owner.flags.use(CoreFlag.UpsertSearchAttributeOnPatch, !owner.replaying);
  if (upserts && (inHistory || !owner.replaying)) {
    const ids = [...patches].filter(([, patch]) => patch.issued).map(([patchId]) => patchId);
    const payload = jsonPayload([...new Set([...ids, id])].sort(), 'KeywordList');
    if (payload.data!.length < MAX_SEARCH_ATTRIBUTE_BYTES) {
      UpsertMachine.searchAttributes(owner, { [VERSION_SEARCH_ATTRIBUTE]: payload }, metadataOf(command));
    }
  }
  patches.set(id, { issued: true });
  return machine;
}

/** A marker that the workflow writes for its own sake, such as an approval request. */
export class RecordMachine extends Machine {
  readonly #name: string;

  constructor(owner: MachineOwner, command: WorkflowCommand) {
    super(owner);
    const { markerName, details } = command.recordMarker as RecordMarker;
    this.#name = markerName;
    owner.issue(this, {
      commandType: CommandType.COMMAND_TYPE_RECORD_MARKER,
      recordMarkerCommandAttributes: { markerName, details },
      ...metadataOf(command),
    });
  }

  describe(): string {
    return `recorded a marker '${this.#name}'`;
  }

  commandRecorded(event: HistoryEvent): void {
    this.expect(event, EventType.EVENT_TYPE_MARKER_RECORDED);
    if (event.markerRecordedEventAttributes?.markerName !== this.#name) throw this.mismatch(event);
    this.done = true;
  }
}
