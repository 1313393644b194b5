/** Messages with a large oneof decode as before, only without deleting what is not there. */
import proto from '@temporalio/proto';
import protobuf, { type Root } from 'protobufjs';
import { expect, test } from 'vitest';
import { quickenOneOfs } from '../../../worker-sdk/transport/oneof-setters.js';

quickenOneOfs(proto as unknown as Root);
const { HistoryEvent } = proto.temporal.api.history.v1;

const started = HistoryEvent.encode({ eventId: 7 as never, workflowTaskStartedEventAttributes: { identity: 'me' } }).finish();
const timedOut = HistoryEvent.encode({ workflowTaskTimedOutEventAttributes: { scheduledEventId: 5 as never } }).finish();

test('the member that is there is known by its name', () => {
  const event = HistoryEvent.decode(started);
  expect(event.attributes).toBe('workflowTaskStartedEventAttributes');
  expect(event.workflowTaskStartedEventAttributes?.identity).toBe('me');
  expect(event.workflowTaskTimedOutEventAttributes ?? undefined).toBeUndefined();
});

test('of two members the last one counts, as the format says', () => {
  const event = HistoryEvent.decode(Buffer.concat([started, timedOut]));
  expect(event.attributes).toBe('workflowTaskTimedOutEventAttributes');
  expect(event.workflowTaskStartedEventAttributes ?? undefined).toBeUndefined();
  expect(Number(event.eventId)).toBe(7);
});

test('without a name none is left', () => {
  const event = HistoryEvent.decode(started);
  event.attributes = undefined;
  expect(event.attributes).toBeUndefined();
  expect(event.workflowTaskStartedEventAttributes ?? undefined).toBeUndefined();
});

test('what is not there is not deleted', () => {
  let deletions = 0;
  const event = new Proxy(HistoryEvent.decode(started), {
    deleteProperty(target, key) {
      deletions++;
      return Reflect.deleteProperty(target, key);
    },
  });
  event.attributes = 'workflowTaskStartedEventAttributes';
  expect(deletions).toBe(0);
});

test('others of the library keep the setters that they know', () => {
  const root = protobuf.parse('syntax = "proto3"; message M { oneof one { string a = 1; string b = 2; } }').root;
  const type = root.lookupType('M');
  const message = type.decode(type.encode({ a: 'x' }).finish()) as unknown as { one?: string; a?: string };
  message.one = 'b';
  expect(message.a ?? '').toBe('');
});
