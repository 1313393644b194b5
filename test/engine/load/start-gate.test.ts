/** What is read of a start before it is decoded is what the decoded start says. */
import { describe, expect, it } from 'vitest';
import { api } from '../../../server/core/api.js';
import type { Turn } from '../../../server/engine/call.js';
import { Admission } from '../../../server/engine/load/admission.js';
import { DEFAULT_LOAD_LIMITS } from '../../../server/engine/load/load-limits.js';
import { StartGate, startAddress } from '../../../server/engine/load/start-gate.js';

const { StartWorkflowExecutionRequest, SignalWithStartWorkflowExecutionRequest } = api.workflowservice.v1;
const REQUEST = {
  namespace: 'orders',
  workflowId: 'w',
  workflowType: { name: 'Type' },
  taskQueue: { name: 'queue', kind: 1, normalName: 'not this' },
  input: { payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.alloc(1_000) }] },
  identity: 'me',
  requestId: 'r',
};
const nobody: Turn = { begin: () => undefined, refuse: () => undefined };

describe('the gate for starts', () => {
  it.each([
    ['StartWorkflowExecution', StartWorkflowExecutionRequest.encode(REQUEST).finish()],
    ['SignalWithStartWorkflowExecution', SignalWithStartWorkflowExecutionRequest.encode({ ...REQUEST, signalName: 's' }).finish()],
  ])('reads namespace and task queue of %s', (_method, bytes) => {
    expect(startAddress(bytes)).toEqual({ namespace: 'orders', queue: 'queue' });
  });

  it('reads nothing of a request without them, and of bytes that are no request as far as it goes', () => {
    expect(startAddress(new Uint8Array())).toEqual({ namespace: '', queue: '' });
    expect(startAddress(Uint8Array.of(0xff, 0xff, 0xff))).toEqual({ namespace: '', queue: '' });
    const cut = StartWorkflowExecutionRequest.encode(REQUEST).finish().subarray(0, 12);
    expect(startAddress(cut)).toEqual({ namespace: 'orders', queue: '' });
  });

  it('lets in whom a poll of their queue waits for, and counts them until they leave', () => {
    const promised: string[] = [];
    const promise = (queue: string) => promised.push(queue) === 1;
    const admission = new Admission({ ...DEFAULT_LOAD_LIMITS }, () => 0, promise);
    let touched = 0;
    const gate = new StartGate(admission, (namespace, queue) => `${namespace}/${queue}`, () => touched++);
    const bytes = StartWorkflowExecutionRequest.encode(REQUEST).finish();
    for (let i = 0; i < 5; i++) admission.adjust({ busy: true, behind: true, late: false, critical: false, noTimeLeft: true, closedPerS: 0, elapsedMs: 100 });
    gate.enter(bytes, nobody); // the rate lets in one
    expect(gate.enter(bytes, nobody), 'the poll another').toBeUndefined();
    const ticket = gate.enter(bytes, nobody);
    expect(ticket).toBeDefined();
    expect([promised[0], touched, admission.working, admission.queued]).toEqual(['orders/queue', 3, 2, 1]);
    ticket?.withdraw();
    gate.leave(bytes);
    gate.leave(bytes);
    expect([admission.working, admission.queued]).toEqual([0, 0]);
  });

  it('does not remember the queue of a namespace that it does not know', () => {
    let known = false;
    const admission = new Admission({ ...DEFAULT_LOAD_LIMITS }, () => 0, (queue) => queue === 'key');
    const gate = new StartGate(admission, () => (known ? 'key' : undefined), () => undefined);
    const bytes = StartWorkflowExecutionRequest.encode(REQUEST).finish();
    for (let i = 0; i < 5; i++) admission.adjust({ busy: true, behind: true, late: false, critical: false, noTimeLeft: true, closedPerS: 0, elapsedMs: 100 });
    gate.enter(bytes, nobody); // by rate
    expect(gate.enter(bytes, nobody)).toBeDefined();
    known = true;
    expect(gate.enter(bytes, nobody)).toBeUndefined();
  });
});
