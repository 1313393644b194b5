/** The refund agent as its users run it: to the approval and on, rejected, too late, and with everything killed in between. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../cli/rpc/connection.js';
import { startScriptedEndpoint, type ScriptedEndpoint } from '../examples/refund-agent/scripted-endpoint.js';
import { type Perdure, perdure, run } from '../helpers/perdure-process.js';
import { useDatabase } from '../helpers/postgres.js';
import { until } from '../helpers/until.js';
import { executed, Stage, startRun } from './refund-agent-kit.js';

const database = useDatabase();
let server: Perdure;
let address: string;
let stage: Stage;

beforeAll(async () => {
  server = perdure(['server', 'start', '--port', '0', '--http-port', 'off', '--log-level', 'warn'], { DATABASE_URL: database.url });
  address = await server.grpcAddress();
  const first = new Stage({ databaseUrl: database.url, address });
  await first.seed();
  await first.end();
});
afterAll(() => server.kill('SIGKILL'));

const begin = (): Stage => {
  stage = new Stage({ databaseUrl: database.url, address });
  return stage;
};
afterEach(() => stage.end());

const refundsOf = (disputeId: number): Promise<Record<string, unknown>[]> =>
  stage.rows(`select amount_cents, approved_by, (select outcome from shop.resolutions where dispute_id = ${disputeId}) as outcome from shop.refunds where dispute_id = ${disputeId}`);

describe('a dispute about a large sum', () => {
  it('waits for a person; approved by the command line, its refund is made once, and every step is shown', async () => {
    begin();
    const worker = await stage.worker();
    expect(worker.stdout).toMatch(/Model: scripted, .*no model is configured/);
    const shown = stage.start('run.js');
    await shown.said(/npx perdure approve refund-dispute-1007 --reason/, 30_000);
    const list = await run(['approvals', 'list', '--address', address]);
    expect(list.stdout).toMatch(/refund-dispute-1007 +refund +open .* Refund 249\.00 EUR to Daan Visser for order 10537/);
    const approved = await run(['approve', 'refund-dispute-1007', '--reason', 'the statement shows it', '--by', 'anna', '--address', address]);
    expect(approved).toMatchObject({ code: 0, stderr: '' });
    const { code, stdout, stderr } = await shown.finished();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const steps = stdout.split('\n').flatMap((line) => /^\d\d:\d\d:\d\d {2}refund-dispute-1007 {2}(\w+)/.exec(line)?.[1] ?? []);
    const round = ['plan', 'check', 'query', 'checkpoint'];
    expect(steps).toEqual(['start', 'hydrate', ...round, ...round, ...round, 'plan', 'check', 'validate', 'approval', 'approval', 'refund', 'answer', 'close', 'end']);
    expect(stdout).toContain('[scripted model]');
    expect(stdout).toMatch(/approval {4}approved by anna: "the statement shows it"/);
    expect(await refundsOf(1007)).toEqual([{ amount_cents: 24_900, approved_by: 'anna', outcome: 'refunded' }]);

    const again = await stage.start('run.js').finished();
    expect(again.stdout).toContain('There is a run for dispute 1007 already');
    expect(again.stdout).toMatch(/end {9}the run completed: refunded/);
    const late = await run(['reject', 'refund-dispute-1007', '--reason', 'no', '--address', address]);
    expect(late.code).not.toBe(0);
    expect(late.stderr).toContain('was approved by anna');
  });

  it('that is rejected through gRPC gives nothing back, and says so', async () => {
    begin();
    await stage.worker();
    const handle = await startRun(await stage.client(), 1003);
    const connection = connect(address);
    try {
      const approvals = await connection.approvals();
      const name = { namespace: 'default', workflowId: 'refund-dispute-1003', runId: '', approvalId: 'refund' };
      await until('the request', async () => (await approvals.get(name)).state === 'APPROVAL_STATE_OPEN');
      await approvals.reject({ ...name, decidedBy: 'bert', reason: 'The carrier has found the parcel.', requestId: '' });
    } finally {
      connection.close();
    }
    expect(await handle.result()).toMatchObject({ outcome: 'rejected', refundCents: 0, decidedBy: 'bert', answer: expect.stringContaining('cannot offer a refund this time') });
    expect(await refundsOf(1003)).toEqual([]);
    expect(await stage.rows('select outcome from shop.resolutions where dispute_id = 1003')).toEqual([{ outcome: 'rejected' }]);
  });

  it('that nobody decides in time goes to a colleague', async () => {
    begin();
    await stage.worker();
    const handle = await startRun(await stage.client(), 1018, { approvalTimeout: '1 second' });
    expect(await handle.result()).toMatchObject({ outcome: 'escalated', refundCents: 0 });
    expect(await refundsOf(1018)).toEqual([]);
    const list = await run(['approvals', 'list', '--state', 'expired', '--workflow-id', 'refund-dispute-1018', '--address', address]);
    expect(list.stdout).toMatch(/refund +expired/);
  });
});

describe('a dispute', () => {
  it('about a small sum needs nobody, and an unfounded one gets a friendly no', async () => {
    begin();
    await stage.worker();
    const client = await stage.client();
    const [small, unfounded] = await Promise.all([startRun(client, 1001), startRun(client, 1006)]);
    expect(await small.result()).toMatchObject({ outcome: 'refunded', refundCents: 3390 });
    expect(await unfounded.result()).toMatchObject({ outcome: 'declined', refundCents: 0 });
    expect(await refundsOf(1001)).toEqual([{ amount_cents: 3390, approved_by: null, outcome: 'refunded' }]);
  });

  it('that does not exist fails the run, which says so', async () => {
    begin();
    await stage.worker();
    const shown = await stage.start('run.js', {}, '4711').finished();
    expect(shown).toMatchObject({ code: 0, stdout: expect.stringMatching(/end {9}the run failed: There is no dispute 4711\./) });
    expect(await stage.start('run.js', {}, 'x').finished()).toMatchObject({ code: 2, stderr: expect.stringContaining('Expected the number of a dispute') });
  });
});

describe('with a model behind an endpoint', () => {
  let endpoint: ScriptedEndpoint;
  beforeAll(async () => {
    endpoint = await startScriptedEndpoint();
  });
  afterEach(() => {
    endpoint.asked.length = 0;
  });
  afterAll(() => endpoint.stop());

  it('a worker that is killed after an answer, again and again, asks no question twice', async () => {
    begin();
    const client = await stage.client();
    const handle = await startRun(client, 1012);
    for (const answers of [1, 3, 5]) {
      const worker = await stage.worker(endpoint.environment);
      // the moment between the answer and the engine's hearing of it is included: the answer lies in the shop's database by then
      await until(`${answers} answers`, async () => (await stage.rows(`select 1 from shop.model_calls where key like 'refund-dispute-1012/%'`)).length >= answers, 30_000);
      await worker.kill('SIGKILL');
    }
    await stage.worker(endpoint.environment);
    expect(await handle.result()).toMatchObject({ outcome: 'refunded', refundCents: 8900 });
    expect(endpoint.counts()).toEqual({ 'round-1': 1, 'round-2': 1, 'round-3': 1, 'round-4': 1, answer: 1 });
    expect(await executed(client, 'refund-dispute-1012')).toMatchObject({ open: 0, twice: [] });
    expect(await refundsOf(1012)).toEqual([{ amount_cents: 8900, approved_by: null, outcome: 'refunded' }]);
  }, 180_000);

  it('a call that fails for now is tried again by the engine, a wrong answer goes back to the model', async () => {
    begin();
    await stage.worker(endpoint.environment);
    const byScript = endpoint.reply;
    const replies = [429, 500, 'malformed', 'bad arguments'];
    endpoint.reply = (asked, response) => {
      const next = replies.shift();
      if (next === undefined) return byScript(asked, response);
      if (typeof next === 'number') return void response.writeHead(next, { 'retry-after': '0.2' }).end('busy');
      if (next === 'malformed') return void response.writeHead(200).end('<html>');
      const call = { id: 'x', type: 'function', function: { name: 'list_payments', arguments: '{"order_id":"all of them"}' } };
      return void response.writeHead(200).end(JSON.stringify({ choices: [{ message: { content: null, tool_calls: [call] } }] }));
    };
    const client = await stage.client();
    const handle = await startRun(client, 1009);
    expect(await handle.result()).toMatchObject({ outcome: 'refunded', refundCents: 3400 });
    expect(endpoint.counts()).toEqual({ 'round-1': 4, 'round-2': 1, 'round-3': 1, 'round-4': 1, 'round-5': 1, answer: 1 });
    const told = endpoint.asked.find((asked) => asked.idempotencyKey?.endsWith('round-2'))!.body.messages.at(-1);
    expect(told).toMatchObject({ role: 'tool', content: expect.stringContaining('arguments/order_id must be integer') });
    expect((await executed(client, 'refund-dispute-1009')).attempts).toEqual({ askModel: 4 });
    endpoint.reply = byScript;
  });

  it('a call that can never succeed fails the run, and says why', async () => {
    begin();
    await stage.worker(endpoint.environment);
    const byScript = endpoint.reply;
    endpoint.reply = (_asked, response) => void response.writeHead(401).end('{"error":"wrong key"}');
    const handle = await startRun(await stage.client(), 1010);
    await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'ModelRefused', message: expect.stringContaining('answered 401: {"error":"wrong key"}') } } });
    endpoint.reply = byScript;
  });
});
