/** Calls of the open API against addresses that change: one answer from whichever engine is there, or as many tries as it takes. */
import proto from '@temporalio/proto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Type } from 'protobufjs';
import { RawClient } from '../transport/raw-client.js';

const root = proto as unknown as { lookupType(name: string): Type };
const SERVICE = 'temporal.api.workflowservice.v1.WorkflowService';
const PACKAGE = 'temporal.api.workflowservice.v1';

/** Answers after which nobody knows whether the call was carried out, and which a caller answers with the same call. */
const AGAIN = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'UNKNOWN', 'INTERNAL', 'RESOURCE_EXHAUSTED', 'ABORTED']);
const PAUSE_MS = 50;

export interface Outcome<R> {
  readonly code: string;
  readonly message: string;
  readonly response?: R;
}

export class Calls {
  /** Calls that were answered. */
  answered = 0;
  /** Tries that failed and were repeated. */
  repeated = 0;
  /** The longest that anyone waited for an answer to a call that was repeated until it came. */
  slowestMs = 0;
  private readonly clients = new Map<string, RawClient>();
  private stopped = false;

  constructor(private readonly addresses: () => readonly string[]) {}

  /** One try at one engine. */
  async once<R>(method: string, request: object, timeoutMs = 5_000): Promise<Outcome<R>> {
    const those = this.addresses();
    const address = those[Math.floor(Math.random() * those.length)];
    if (address === undefined) return { code: 'UNAVAILABLE', message: 'no engine serves' };
    const input = root.lookupType(`${PACKAGE}.${method}Request`);
    const bytes = input.encode(input.fromObject({ namespace: 'default', identity: 'chaos', ...request })).finish();
    const answer = await this.client(address).send(`/${SERVICE}/${method}`, bytes, { timeoutMs });
    if (answer.bytes === undefined) return { code: answer.code, message: answer.message };
    this.answered++;
    return { code: 'OK', message: '', response: root.lookupType(`${PACKAGE}.${method}Response`).decode(answer.bytes) as R };
  }

  /** The same call again until an engine says yes or no. */
  async surely<R>(method: string, request: object, timeoutMs = 4_000): Promise<Outcome<R>> {
    const begun = performance.now();
    while (!this.stopped) {
      const outcome = await this.once<R>(method, request, timeoutMs);
      if (!AGAIN.has(outcome.code)) {
        this.slowestMs = Math.max(this.slowestMs, performance.now() - begun);
        return outcome;
      }
      this.repeated++;
      await sleep(PAUSE_MS);
    }
    return { code: 'CANCELLED', message: 'the load was stopped' };
  }

  private client(address: string): RawClient {
    const client = this.clients.get(address) ?? new RawClient(address);
    this.clients.set(address, client);
    return client;
  }

  close(): void {
    this.stopped = true;
    for (const client of this.clients.values()) client.close();
  }
}
