/** Completion callbacks, the pure part: where they may go, what they say, what an answer means. */
import { describe, expect, it } from 'vitest';
import { api, enums, type HistoryEvent } from '../../server/core/api.js';
import { blankState } from '../../server/core/blank-state.js';
import { addressProblem } from '../../server/core/callback-addresses.js';
import { callbackRequest, contentOf } from '../../server/core/callback-request.js';
import { judgeResponse } from '../../server/core/callback-response.js';
import { attached, backoffOf } from '../../server/core/kinds/callback.js';
import { DEFAULT_LIMITS } from '../../server/core/limits.js';
import { callbackLimits } from '../../server/callback-config.js';
import type { ConfigProblem } from '../../server/config.js';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const T = enums.EventType;

describe('where they may go', () => {
  const rules = [
    { pattern: '*.example.com:443', allowInsecure: false },
    { pattern: 'Hooks.local:*', allowInsecure: true },
  ];

  it.each(['https://a.example.com/x?y=1', 'https://a.b.EXAMPLE.com:443', 'http://hooks.local:8080/a', 'http://hooks.local'])('%s: allowed', (url) => {
    expect(addressProblem(rules, url)).toBeUndefined();
  });

  it.each([
    ['ftp://x', 'unknown scheme'],
    ['file:///etc/passwd', 'unknown scheme'],
    ['temporal://system', 'unknown scheme'],
    ['http://', 'missing host'],
    ['http:///path', 'missing host'],
    ['https://example.com/', 'does not match any configured callback address'],
    ['https://a.example.com:8443/', 'does not match any configured callback address'],
    ['https://a.example.com.evil.org/', 'does not match any configured callback address'],
    ['https://evil.org/?a.example.com:443', 'does not match any configured callback address'],
    ['https://a.example.com:443@evil.org/', 'does not match any configured callback address'],
    ['https://evil.org\\@a.example.com/', 'does not match any configured callback address'],
    ['https://evil.org#@a.example.com/', 'does not match any configured callback address'],
    ['http://a.example.com:443/', 'does not allow insecure connections'],
  ])('%s: %s', (url, problem) => {
    expect(addressProblem(rules, url)).toContain(problem);
  });

  it('nowhere, when nothing is configured', () => {
    expect(addressProblem(DEFAULT_LIMITS.callbackAddresses, 'https://example.com')).toContain('does not match');
  });

  it('is read from the configuration, under both names of the keys', () => {
    const problems: ConfigProblem[] = [];
    expect(callbackLimits({ 'component.callbacks.allowedAddresses': [{ Pattern: 'a', AllowInsecure: true }], 'callback.request.timeout': '3s', 'other.key': 1 }, problems)).toEqual({
      callbackAddresses: [{ pattern: 'a', allowInsecure: true }],
      callbackTimeoutMs: 3_000,
    });
    expect(problems).toEqual([]);
    callbackLimits({ 'callback.allowedAddresses': 'everything', 'callback.retryPolicy.maxInterval': 'long' }, problems);
    expect(problems.map((p) => p.key)).toEqual(['--dynamic-config-value callback.allowedAddresses', '--dynamic-config-value callback.retryPolicy.maxInterval']);
  });
});

describe('what they say', () => {
  const state = () => {
    const made = blankState({ namespaceId: 'n', namespace: 'my space', workflowId: 'w/1', runId: 'run', requestId: 'start' });
    made.info.startMs = Date.parse('2026-03-01T12:00:00.250Z');
    made.closeMs = Date.parse('2026-03-01T12:00:05Z');
    made.requestIds['later'] = { eventId: 7, eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED };
    return made;
  };
  const request = (event: HistoryEvent, header: Record<string, string> = {}, requestId = 'start') =>
    callbackRequest(state(), attached({ nexus: { url: 'http://x/done', header } }, 0, requestId), event);
  const completed = { eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED, workflowExecutionCompletedEventAttributes: {} };

  it('a result, with its times and a link to the run', () => {
    const payload = { metadata: { encoding: bytes('json/plain') }, data: bytes('{"a":1}') };
    const { headers, body } = request({ ...completed, workflowExecutionCompletedEventAttributes: { result: { payloads: [payload] } } });
    expect(headers).toEqual({
      'user-agent': 'perdure',
      'nexus-operation-state': 'succeeded',
      'nexus-operation-start-time': 'Sun, 01 Mar 2026 12:00:00 GMT',
      'nexus-operation-close-time': '2026-03-01T12:00:05Z',
      'nexus-link':
        '<temporal:///namespaces/my%20space/workflows/w%2F1/run/history?eventID=1&eventType=WorkflowExecutionStarted&referenceType=EventReference>; type="temporal.api.common.v1.Link.WorkflowEvent"',
      'content-type': 'application/json',
    });
    expect(Buffer.from(body).toString()).toBe('{"a":1}');
  });

  it('a callback that was attached later names the request that brought it', () => {
    expect(request(completed, {}, 'later').headers['nexus-link']).toContain(
      'history?eventType=WorkflowExecutionOptionsUpdated&referenceType=RequestIdReference&requestID=later>',
    );
  });

  it('its own headers, but none that are the connection’s', () => {
    const { headers } = request(completed, { 'X-Token': 't', 'User-Agent': 'mine', 'Content-Length': '9', 'transfer-encoding': 'chunked', host: 'other' });
    expect(headers).toMatchObject({ 'x-token': 't', 'user-agent': 'mine' });
    for (const name of ['content-length', 'transfer-encoding', 'host']) expect(headers).not.toHaveProperty(name);
  });

  it('a failure with its causes, as a reader of the API can take it apart again', () => {
    const failure = {
      message: 'outer',
      stackTrace: 'here',
      applicationFailureInfo: { type: 'Boom', nonRetryable: true, details: { payloads: [{ data: bytes('x') }] }, nextRetryDelay: { seconds: 1 as never, nanos: 500_000_000 } },
      cause: { message: 'inner', timeoutFailureInfo: { timeoutType: enums.TimeoutType.TIMEOUT_TYPE_HEARTBEAT } },
    };
    const { headers, body } = request({ eventType: T.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED, workflowExecutionFailedEventAttributes: { failure } });
    expect(headers).toMatchObject({ 'nexus-operation-state': 'failed', 'content-type': 'application/json' });
    expect(JSON.parse(Buffer.from(body).toString())).toEqual({
      message: 'outer',
      stackTrace: 'here',
      metadata: { type: 'temporal.api.failure.v1.Failure' },
      details: {
        applicationFailureInfo: { type: 'Boom', nonRetryable: true, details: { payloads: [{ data: 'eA==' }] }, nextRetryDelay: '1.5s' },
        cause: { message: 'inner', timeoutFailureInfo: { timeoutType: 'TIMEOUT_TYPE_HEARTBEAT' } },
      },
      cause: { message: 'inner', metadata: { type: 'temporal.api.failure.v1.Failure' }, details: { timeoutFailureInfo: { timeoutType: 'TIMEOUT_TYPE_HEARTBEAT' } } },
    });
  });

  it.each([
    [T.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED, 'canceled', 'operation canceled', 'canceledFailureInfo'],
    [T.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED, 'failed', 'operation terminated', 'terminatedFailureInfo'],
    [T.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT, 'failed', 'operation exceeded internal timeout', 'timeoutFailureInfo'],
  ])('event %i: %s, %s', (eventType, operationState, message, info) => {
    const { headers, body } = request({ eventType, workflowExecutionCanceledEventAttributes: {} });
    expect(headers['nexus-operation-state']).toBe(operationState);
    const told = JSON.parse(Buffer.from(body).toString()) as { message: string; details: object };
    expect(told).toMatchObject({ message });
    expect(told.details).toHaveProperty(info);
  });

  it('payloads by what they are, and as they are where no header can say it', () => {
    const type = (metadata: Record<string, string>): string | undefined =>
      contentOf({ metadata: Object.fromEntries(Object.entries(metadata).map(([k, v]) => [k, bytes(v)])), data: bytes('d') }).headers['content-type'];
    expect(contentOf(undefined)).toEqual({ headers: {}, body: new Uint8Array() });
    expect(type({ encoding: 'binary/plain' })).toBe('application/octet-stream');
    expect(type({ encoding: 'binary/null' })).toBeUndefined();
    expect(type({ encoding: 'json/protobuf', messageType: 'a.B' })).toBe('application/json; format=protobuf; message-type="a.B"');
    expect(type({ encoding: 'binary/protobuf', messageType: 'a.B' })).toBe('application/x-protobuf; message-type="a.B"');
    const odd = { metadata: { encoding: bytes('json/plain'), key: bytes('1') }, data: bytes('d') };
    expect(contentOf(odd).headers['content-type']).toBe('application/x-temporal-payload');
    expect(api.common.v1.Payload.decode(contentOf(odd).body).data).toEqual(Buffer.from('d'));
  });
});

describe('what an answer means', () => {
  const answer = (status: number, headers: Record<string, string> = {}, body = '') => judgeResponse({ status, statusText: 'Words', headers, body: bytes(body) });
  const asJson = { 'content-type': 'application/json; charset=utf-8' };

  it.each([200, 201, 204])('%i: through', (status) => expect(answer(status)).toEqual({ got: 'through' }));
  it.each([400, 401, 403, 404, 409, 501])('%i: refused for good', (status) => expect(answer(status)).toMatchObject({ got: 'refused' }));
  it.each([302, 408, 410, 418, 429, 500, 502, 503, 504, 520])('%i: tried again', (status) => expect(answer(status)).toMatchObject({ got: 'nowhere' }));

  it('the other side may say whether to try again', () => {
    expect(answer(400, { 'nexus-request-retryable': 'true' })).toEqual({ got: 'nowhere', why: 'handler error (BAD_REQUEST)' });
    expect(answer(500, { 'nexus-request-retryable': 'false' })).toEqual({ got: 'refused', why: 'handler error (INTERNAL)' });
    const handlerError = (details: object) => JSON.stringify({ message: 'no', metadata: { type: 'nexus.HandlerError' }, details });
    expect(answer(500, asJson, handlerError({ type: 'NOT_FOUND' }))).toEqual({ got: 'refused', why: 'handler error (NOT_FOUND): no' });
    expect(answer(400, asJson, handlerError({ type: 'BAD_REQUEST', retryableOverride: true }))).toEqual({ got: 'nowhere', why: 'handler error (BAD_REQUEST): no' });
  });

  it('quotes what it was told, and survives nonsense', () => {
    expect(answer(404, asJson, '{"message":"gone"}')).toEqual({ got: 'refused', why: 'handler error (NOT_FOUND): gone' });
    expect(answer(502)).toEqual({ got: 'nowhere', why: 'unexpected response status: "502 Words"' });
    for (const body of ['null', '{', '[]', '{"message":7,"metadata":3}', '{"metadata":{"type":"nexus.HandlerError"}}'])
      expect(answer(404, asJson, body)).toEqual({ got: 'refused', why: 'handler error (NOT_FOUND)' });
  });
});

it('waits twice as long each time, up to an hour', () => {
  expect([1, 2, 3, 50].map((n) => backoffOf(n, DEFAULT_LIMITS, 1))).toEqual([1_000, 2_000, 4_000, 3_600_000]);
  expect(backoffOf(1, DEFAULT_LIMITS, 0)).toBe(800);
});
