/**
 * Messages with a large `oneof` decode slowly in protobufjs: setting the name of the member that is there deletes all other members, one by
 * one, also where there are none. For a history event that is sixty deletions, after which V8 keeps the event as a dictionary: decoding and
 * whatever reads it afterwards cost three times as much. The setters made here look at what is there first.
 */
import protobuf from 'protobufjs/light.js';
import type { Root } from 'protobufjs';

type Setter = (this: object, name: string | undefined) => void;

/** The messages whose oneofs are large and that workers see all the time. */
const MESSAGES = ['temporal.api.history.v1.HistoryEvent', 'temporal.api.command.v1.Command', 'temporal.api.failure.v1.Failure'];

function quickSetter(members: readonly string[]): Setter {
  const set = new Set(members);
  return function (this: object, name: string | undefined) {
    for (const key of Object.keys(this)) {
      if (key !== name && set.has(key)) delete (this as Record<string, unknown>)[key];
    }
  };
}

/** Gives those messages of a root quick setters. One whose class was made before keeps its own, which does the same. */
export function quickenOneOfs(root: Root): void {
  const util = protobuf.util as unknown as { oneOfSetter(members: string[]): Setter };
  const { oneOfSetter } = util;
  util.oneOfSetter = quickSetter;
  try {
    // Reading `ctor` makes the class.
    for (const name of MESSAGES) void root.lookupType(name).ctor;
  } finally {
    util.oneOfSetter = oneOfSetter;
  }
}
