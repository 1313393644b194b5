/** Event groups: marks on commands by which tools show together what belongs together. */
import type Long from 'long';
import { toNumber } from '../definitions/api.js';
import { defaultPayloadConverter } from '../payload/payload-converter.js';
import type { EventGroupMarkers } from '../replay/protocol.js';
import { AsyncLocalStorage } from './async-local-storage.js';
import { currentRun } from './current-run.js';
import { sha1Hex } from './sha1.js';

/** A group that commands can be attached to, by their `eventGroups` option or all those of a scope. Made by {@link createEventGroup}. */
export interface EventGroupMarker {
  /** Runs `fn` with all commands of it attached to this group (and to the groups around it). */
  withScope<T>(fn: () => Promise<T>): Promise<T>;
}

interface Active {
  /** The signal or update whose handler runs. */
  inbound: Marker | undefined;
  explicit: ReadonlyMap<string, Marker>;
}

type WireMarker = EventGroupMarkers[number];

const scopes = new AsyncLocalStorage<Active>();
const none: Active = { inbound: undefined, explicit: new Map() };

class Marker implements EventGroupMarker {
  constructor(
    private readonly next: (active: Active, self: Marker) => Active,
    readonly wire: () => WireMarker,
    readonly id?: string,
  ) {}

  withScope<T>(fn: () => Promise<T>): Promise<T> {
    currentRun('EventGroupMarker.withScope()');
    return scopes.run(this.next(scopes.getStore() ?? none, this), fn);
  }
}

/**
 * Makes a group.
 * @param label what people see; it is encoded by the default converter, so that every tool can read it
 * @param options.id groups of the same id are one; by default derived from the label
 */
export function createEventGroup(label: string, options?: { id?: string }): EventGroupMarker {
  const run = currentRun('createEventGroup()');
  const id = options?.id ?? sha1Hex(`${run.facts.originalExecutionRunId}${label}`);
  return new Marker(
    ({ inbound, explicit }, self) => ({ inbound, explicit: new Map(explicit).set(id, self) }),
    () => ({ label: { id, label: defaultPayloadConverter.toPayload(label) } }),
    id,
  );
}

/** The group of a signal's handler. */
export function inboundEventGroup(eventId: Long | number | null | undefined): EventGroupMarker {
  const known = toNumber(eventId) > 0;
  const wire: WireMarker = { inboundEvent: { inboundEventId: eventId as Long } };
  return new Marker(
    (_active, self) => ({ inbound: known ? self : undefined, explicit: none.explicit }),
    () => wire,
  );
}

/** The group of an update's handler. */
export function inboundUpdateGroup(updateId: string): EventGroupMarker {
  return new Marker(
    (_active, self) => ({ inbound: self, explicit: none.explicit }),
    () => ({ inboundUpdate: { inboundUpdateId: updateId } }),
  );
}

/** The groups of a command: those given and those of the scopes around it. */
export function eventGroupMarkers(given?: EventGroupMarker[]): EventGroupMarkers | undefined {
  const active = scopes.getStore();
  if (!active && !given?.length) return undefined;
  const explicit = new Map(active?.explicit ?? []);
  for (const marker of given ?? []) {
    if (!(marker instanceof Marker) || marker.id === undefined)
      throw new TypeError('Expected eventGroups to hold markers made by createEventGroup()');
    explicit.set(marker.id, marker);
  }
  const all = [...(active?.inbound ? [active.inbound] : []), ...explicit.values()];
  return all.length > 0 ? all.map((marker) => marker.wire()) : undefined;
}
