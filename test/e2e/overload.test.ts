/** More than the server takes on at once, over gRPC: who is refused is told when to come again, SDKs do so, and another namespace notices little. */
import { Client as OfficialClient, Connection as OfficialConnection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, Connection } from '../../worker-sdk/client/index.js';
import { WORKFLOW_SERVICE } from '../../server/transport/grpc/open-api.js';
import { type EngineServer, startEngineServer } from '../transport/engine-server.js';
import { type Answer, RawClient } from '../transport/raw-client.js';
import { until } from '../helpers/until.js';

const QUEUED = 20;
let server: EngineServer;
let storm: RawClient;
let calm: RawClient;

beforeAll(async () => {
  server = await startEngineServer({ requestsMax: '2', requestsQueuedMax: String(QUEUED), requestQueuedMsMax: '10s', waitingCallsMax: '10' });
  storm = new RawClient(server.address);
  calm = new RawClient(server.address);
});
afterAll(async () => {
  storm.close();
  calm.close();
  await server.stop();
});

let started = 0;
const start = (client: RawClient, namespace: string): Promise<Answer> =>
  client.call(WORKFLOW_SERVICE, 'StartWorkflowExecution', {
    namespace,
    workflowId: `overload-${started++}`,
    workflowType: { name: 'Nobody' },
    taskQueue: { name: 'nobody' },
  });

describe('overload', () => {
  it('refuses what it has no room for, with the cause and a time to come again', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => start(storm, 'default')));
    const refused = answers.filter((answer) => answer.code !== 'OK');
    expect(refused.length).toBeGreaterThan(0);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(QUEUED);
    for (const { code, message, details } of refused) {
      expect(code).toBe('RESOURCE_EXHAUSTED');
      expect(message).toContain('wait for their turn');
      expect(details.map((d) => d.type)).toEqual(['temporal.api.errordetails.v1.ResourceExhaustedFailure', 'google.rpc.RetryInfo']);
      expect(details[0]!.value).toEqual({ cause: 3, scope: 2 });
      expect(details[1]!.value).toHaveProperty('retryDelay');
    }
    expect(server.metric('perdure_refused_starts_total')).toBe(refused.length);
    expect(server.metric('perdure_requests_queued')).toBe(0);
    expect(server.metric('perdure_requests_in_work')).toBe(0);
    expect(server.errors).toEqual([]);
  });

  it('a storm in one namespace costs another nothing but its turn', async () => {
    let over = false;
    let refused = 0;
    const raging = Promise.all(
      Array.from({ length: 50 }, async () => {
        while (!over) if ((await start(storm, 'default')).code !== 'OK') refused++;
      }),
    );
    await until('the storm to be refused', () => refused > 0);
    const before = refused;
    const answers: Answer[] = [];
    for (let i = 0; i < 10; i++) answers.push(await start(calm, 'bystander'));
    await until('more of the storm to be refused', () => refused > before);
    over = true;
    await raging;
    expect(answers.map((answer) => answer.code)).toEqual(answers.map(() => 'OK'));
  });

  it.each(['ours', 'official'] as const)('clients of the SDK (%s) come again until they are let in', async (sdk) => {
    const before = server.metric('perdure_refused_starts_total');
    const connection = await (sdk === 'ours' ? Connection : OfficialConnection).connect({ address: server.address });
    const client = sdk === 'ours' ? new Client({ connection: connection as Connection }) : new OfficialClient({ connection: connection as OfficialConnection });
    try {
      const handles = await Promise.all(
        Array.from({ length: 60 }, (_, i) => client.workflow.start('Nobody', { taskQueue: 'nobody', workflowId: `${sdk}-${i}` })),
      );
      expect(new Set(handles.map((handle) => handle.workflowId)).size).toBe(60);
      expect(server.metric('perdure_refused_starts_total')).toBeGreaterThan(before);
    } finally {
      await connection.close();
    }
  });

  it('polls beyond the limit are answered early and empty, the oldest of the namespace with most first', async () => {
    const poll = (client: RawClient, namespace: string) =>
      client.call(WORKFLOW_SERVICE, 'PollActivityTaskQueue', { namespace, taskQueue: { name: 'idle' }, identity: 'me' }, { timeoutMs: 30_000, cancelAfterMs: 5_000 });
    const answered: string[] = [];
    const noted = async (name: string, answer: Promise<Answer & { response?: Record<string, unknown> }>) => {
      const { code, response } = await answer;
      answered.push(`${name} ${code} ${JSON.stringify(response ?? {})}`);
    };
    const all = [noted('calm', poll(calm, 'bystander'))];
    for (let i = 0; i < 9; i++) all.push(noted(`storm ${i}`, poll(storm, 'default')));
    await until('all to wait', () => server.metric('perdure_waiting_calls') === 10);
    const full = await poll(storm, 'default');
    expect([full.code, full.details[0]?.value]).toEqual(['RESOURCE_EXHAUSTED', { cause: 2, scope: 1 }]);
    // once they have waited for a while, a new one takes the place of the oldest
    await until('a poll to be shed', async () => {
      all.push(noted('late', poll(storm, 'default')));
      await Promise.resolve();
      return server.metric('perdure_shed_polls_total') > 0;
    });
    await until('its caller to know', () => answered.some((line) => line.startsWith('storm')));
    // more than one late poll may have come before the first shed one was seen
    const shed = answered.filter((line) => line.startsWith('storm'));
    expect(shed).toEqual(shed.map((_, i) => `storm ${i} OK {}`));
    expect(answered.filter((line) => line.startsWith('calm'))).toEqual([]);
    storm.close();
    calm.close();
    await Promise.all(all);
    await until('nobody to wait', () => server.metric('perdure_waiting_calls') === 0);
  });
});
