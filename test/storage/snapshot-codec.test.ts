/** Run states as they lie in the database. */
import { expect, it } from 'vitest';
import { blankState } from '../../server/core/blank-state.js';
import { decodeState, encodeInfo, encodeSnapshot } from '../../server/storage/snapshot-codec.js';

const state = () => ({
  ...blankState({ namespaceId: 'n', namespace: 'default', workflowId: 'w', runId: 'r', requestId: 'q' }),
  buffered: [Buffer.from([1, 2, 255])],
  signalCount: 7,
});
const columns = (snapshot: Buffer) => ({ info: encodeInfo(state()), snapshot, memo: null, search_attributes: null });

it('come back as they were, bytes too', () => {
  expect(decodeState(columns(encodeSnapshot(state())))).toEqual(state());
});

it('of an older server, which knew fewer fields, get the missing ones', () => {
  const { approvals, approvalsOver, ...older } = JSON.parse(encodeSnapshot(state()).toString()) as Record<string, unknown>;
  expect(approvals).toEqual([]);
  expect(approvalsOver).toEqual([]);
  expect(decodeState(columns(Buffer.from(JSON.stringify(older))))).toEqual(state());
});

it('of an older server, which kept updates otherwise and no original start, are read as if of today', () => {
  const older = { ...(JSON.parse(encodeSnapshot(state()).toString()) as object), updatesAccepted: {}, updatesCompleted: {} };
  const info = Buffer.from(JSON.stringify({ ...state().info, startMs: 7, originalStartMs: undefined }));
  const read = decodeState({ ...columns(Buffer.from(JSON.stringify(older))), info });
  expect(read.updatesAccepted).toEqual([]);
  expect(read.updatesCompleted).toEqual([]);
  expect(read.info.originalStartMs).toBe(7);
});
