// Failures survive the wire, and read the same in the official SDK.
import * as official from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ensureApplicationFailure,
  isCancellation,
  rootCause,
  TemporalFailure,
  TimeoutFailure,
} from '../../../worker-sdk/payload/failure.js';
import { DefaultFailureConverter } from '../../../worker-sdk/payload/failure-converter.js';
import { defaultPayloadConverter, RawValue } from '../../../worker-sdk/payload/payload-converter.js';

const converter = new DefaultFailureConverter();
const roundTrip = (error: unknown) => {
  const error2 = converter.failureToError(converter.errorToFailure(error, defaultPayloadConverter), defaultPayloadConverter);
  return error2;
};

describe('a failure on the wire', () => {
  test('keeps type, details, cause and retryability of an application failure', () => {
    const error = ApplicationFailure.create({
      message: 'no',
      type: 'Declined',
      nonRetryable: true,
      details: [1, { a: 'b' }],
      nextRetryDelay: '2s',
      cause: new TypeError('inner'),
    });
    const back = roundTrip(error) as ApplicationFailure;
    expect(back).toBeInstanceOf(ApplicationFailure);
    expect(back).toMatchObject({ message: 'no', type: 'Declined', nonRetryable: true, details: [1, { a: 'b' }] });
    expect(back.cause).toBeInstanceOf(TemporalFailure);
    expect(rootCause(back)).toBe('inner');
    expect(back.failure?.applicationFailureInfo?.nextRetryDelay).toEqual({ seconds: 2, nanos: 0 });
  });

  test('is read by the official converter, and theirs by ours', () => {
    const wire = converter.errorToFailure(
      new ActivityFailure('failed', 'hello', '1', 'TIMEOUT', 'me', new TimeoutFailure('late', { at: 3 }, 'HEARTBEAT')),
      defaultPayloadConverter,
    );
    const theirs = official.defaultFailureConverter.failureToError(wire as never, official.defaultPayloadConverter);
    expect(theirs).toBeInstanceOf(official.ActivityFailure);
    expect(theirs).toMatchObject({ activityType: 'hello', activityId: '1', retryState: 'TIMEOUT', identity: 'me' });
    expect(theirs.cause).toMatchObject({ message: 'late', timeoutType: 'HEARTBEAT', lastHeartbeatDetails: { at: 3 } });

    const theirWire = official.defaultFailureConverter.errorToFailure(
      new official.ActivityFailure('x', 'act', '7', 'CANCEL_REQUESTED', undefined, new official.CancelledFailure('stop', ['why'])),
      official.defaultPayloadConverter,
    );
    const ours = converter.failureToError(theirWire, defaultPayloadConverter) as ActivityFailure;
    expect(ours).toBeInstanceOf(ActivityFailure);
    expect(isCancellation(ours)).toBe(true);
    expect((ours.cause as CancelledFailure).details).toEqual(['why']);
  });

  test('says what was thrown when it was no Error', () => {
    expect(roundTrip('just text').message).toMatch(/^just text \[/);
    expect(roundTrip({ a: 1 }).message).toMatch(/^\{"a":1\} \[/);
    expect(roundTrip(undefined).message).toMatch(/^undefined \[/);
  });

  test('hides message and stack in a payload when told to', () => {
    const hiding = new DefaultFailureConverter({ encodeCommonAttributes: true });
    const wire = hiding.errorToFailure(new ApplicationFailure('secret'), defaultPayloadConverter);
    expect(wire.message).toBe('Encoded failure');
    expect(JSON.stringify({ ...wire, encodedAttributes: undefined })).not.toContain('secret');
    expect(hiding.failureToError(wire, defaultPayloadConverter).message).toBe('secret');
  });

  test('is passed on unchanged when it came from the wire', () => {
    const wire = { message: 'm', source: 'GoSDK', stackTrace: 's', terminatedFailureInfo: {} };
    expect(converter.errorToFailure(converter.failureToError(wire, defaultPayloadConverter), defaultPayloadConverter)).toBe(wire);
  });
});

test('instanceof knows subclasses from their parents', () => {
  class Mine extends ApplicationFailure {}
  expect(new Mine('x')).toBeInstanceOf(ApplicationFailure);
  expect(new ApplicationFailure('x')).not.toBeInstanceOf(Mine);
  expect(new CancelledFailure('x')).not.toBeInstanceOf(ApplicationFailure);
});

test('ensureApplicationFailure keeps what an error says', () => {
  const failure = ensureApplicationFailure(new RangeError('too big', { cause: new Error('why') }));
  expect(failure).toMatchObject({ message: 'too big', type: 'RangeError', nonRetryable: false });
  expect(failure.cause?.message).toBe('why');
});

describe('the default payload converter', () => {
  test.each([[undefined], [null], [0], ['text ü'], [{ a: [1, null] }], [new Uint8Array([1, 2, 3])]])(
    'agrees with the official one on %j',
    (value) => {
      const ours = defaultPayloadConverter.toPayload(value);
      expect(ours).toEqual(official.defaultPayloadConverter.toPayload(value));
      expect(defaultPayloadConverter.fromPayload(ours)).toEqual(value);
    },
  );

  test('passes raw values through', () => {
    const payload = defaultPayloadConverter.toPayload('x');
    expect(defaultPayloadConverter.toPayload(RawValue.fromPayload(payload))).toBe(payload);
  });

  test('refuses what JSON cannot carry and unknown encodings', () => {
    expect(() => defaultPayloadConverter.toPayload(1n)).toThrow(/Unable to convert a bigint \(.*BigInt\) to a payload/);
    expect(() => defaultPayloadConverter.fromPayload({ metadata: { encoding: new TextEncoder().encode('what') } })).toThrow(/got 'what'/);
  });
});
