/** Calls that name a workflow id only, while its run ends and another follows: they mean the one that is open, and what was done once is not done again. */
import { describe, expect, it } from 'vitest';
import { command, type EngineNode, json } from '../helpers/engine-node.js';
import { acceptAll, COMPLETED } from '../helpers/updates.js';
import { useNode } from '../helpers/use-node.js';

let node: EngineNode;
useNode((made) => {
  node = made;
});

async function goOn(workflowId: string): Promise<void> {
  await node.forward(2_000); // one that goes on sooner has to wait
  await node.step(workflowId, [command.continueAsNew()]);
}

const execution = (workflowId: string): object => ({ workflowExecution: { workflowId } });
const newest = async (workflowId: string): Promise<string> => (await node.describe(workflowId)).workflowExecutionInfo!.execution!.runId!;
const signalsOf = async (workflowId: string, runId?: string): Promise<string[]> =>
  (await node.events(workflowId, runId ?? (await newest(workflowId)))).flatMap(
    (e) => e.workflowExecutionSignaledEventAttributes?.signalName ?? [],
  );

/** The next look for the open run of a workflow id finds one that has gone on as new when the call comes to it. Resolves when it has. */
function goesOnMeanwhile(workflowId: string): Promise<void> {
  const { runs } = node.engine;
  const { current } = runs;
  return new Promise((resolve) => {
    runs.current = async (...args) => {
      runs.current = current;
      const found = await current.apply(runs, args);
      await goOn(workflowId);
      resolve();
      return found;
    };
  });
}

describe('a call for a run that goes on as new before the call comes to it', () => {
  it('signals the new one', async () => {
    const first = await node.start('signal');
    void goesOnMeanwhile('signal');
    await node.rpc('SignalWorkflowExecution', { ...execution('signal'), signalName: 'late', requestId: 'r' });
    expect(await newest('signal')).not.toBe(first);
    expect(await signalsOf('signal')).toEqual(['late']);
  });

  it('cancels the new one', async () => {
    await node.start('cancel');
    void goesOnMeanwhile('cancel');
    await node.rpc('RequestCancelWorkflowExecution', execution('cancel'));
    expect((await node.events('cancel', await newest('cancel'))).some((e) => e.workflowExecutionCancelRequestedEventAttributes)).toBe(true);
  });

  it('terminates the new one', async () => {
    await node.start('terminate');
    void goesOnMeanwhile('terminate');
    await node.rpc('TerminateWorkflowExecution', execution('terminate'));
    expect((await node.events('terminate', await newest('terminate'))).at(-1)?.workflowExecutionTerminatedEventAttributes).toBeTruthy();
  });

  it('pauses the new one', async () => {
    await node.start('pause');
    void goesOnMeanwhile('pause');
    await node.rpc('PauseWorkflowExecution', { workflowId: 'pause', requestId: 'p' });
    expect((await node.describe('pause')).workflowExtendedInfo?.pauseInfo).toBeTruthy();
  });

  it('updates the new one', async () => {
    await node.start('update');
    const gone = goesOnMeanwhile('update');
    const updated = node.rpc('UpdateWorkflowExecution', {
      ...execution('update'),
      waitPolicy: { lifecycleStage: COMPLETED },
      request: { meta: { updateId: 'u' }, input: { name: 'change' } },
    });
    await gone;
    for (let heard = false; !heard; ) {
      const task = await node.poll('update'); // its first, which may bring the update, or one for the update
      heard = task.messages.length > 0;
      const [commands, more] = acceptAll(task);
      await node.complete(task, commands, more);
    }
    expect((await updated).updateRef.workflowExecution.runId).toBe(await newest('update'));
  });

  it('leaves the new one alone when it names the old one', async () => {
    const runId = await node.start('named');
    await goOn('named');
    const request = { workflowExecution: { workflowId: 'named', runId }, signalName: 's', requestId: 'r' };
    await expect(node.rpc('SignalWorkflowExecution', request)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(node.rpc('TerminateWorkflowExecution', request)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await node.rpc('RequestCancelWorkflowExecution', request); // a closed run takes it, and nothing happens
    expect(await signalsOf('named')).toEqual([]);
  });
});

describe('the same request once more, after the run that took it has ended', () => {
  const signal = (workflowId: string): Promise<unknown> =>
    node.rpc('SignalWorkflowExecution', { ...execution(workflowId), signalName: 's', requestId: `${workflowId}-request` });

  it('a signal is not sent to the run that follows, nor to the one after that', async () => {
    const first = await node.start('signal-again');
    await signal('signal-again');
    await goOn('signal-again');
    await signal('signal-again');
    await goOn('signal-again');
    await signal('signal-again');
    expect(await signalsOf('signal-again', first)).toEqual(['s']);
    expect(await signalsOf('signal-again')).toEqual([]);
  });

  it('a signal is not sent to a run that was started anew', async () => {
    await node.start('signal-anew');
    await signal('signal-anew');
    await node.step('signal-anew', [command.complete()]);
    await node.start('signal-anew');
    await signal('signal-anew');
    expect(await signalsOf('signal-anew')).toEqual([]);
  });

  it('is forgotten after some time', async () => {
    await node.start('signal-later');
    await signal('signal-later');
    await goOn('signal-later');
    node.clock.forward(11 * 60_000);
    await signal('signal-later');
    expect(await signalsOf('signal-later')).toEqual(['s']);
  });

  it('a start gives the run that it has begun', async () => {
    const request = { requestId: 'start-again' };
    const first = await node.start('start-again', request);
    await goOn('start-again');
    await goOn('start-again');
    expect(await node.start('start-again', request)).toBe(first);
    await node.step('start-again', [command.complete()]);
    expect(await node.start('start-again', request)).toBe(first);
    const other = await node.start('start-again');
    expect(await node.start('start-again', request)).toBe(first);
    expect(await newest('start-again')).toBe(other);
  });

  it('a signal with start gives the run that took it, be it one that it has begun or not', async () => {
    const request = (requestId: string): object => ({
      workflowId: 'both',
      workflowType: { name: 'Test' },
      taskQueue: { name: 'both' },
      signalName: requestId,
      requestId,
      signalInput: json(1),
    });
    const send = (requestId: string): Promise<{ runId: string; started: boolean }> =>
      node.rpc('SignalWithStartWorkflowExecution', request(requestId));
    const begun = await send('begins');
    expect(begun.started).toBe(true);
    const joined = await send('joins');
    expect(joined).toMatchObject({ runId: begun.runId, started: false });
    await goOn('both');
    expect(await send('begins')).toMatchObject({ runId: begun.runId, started: true });
    expect(await send('joins')).toMatchObject({ runId: begun.runId, started: false });
    expect(await signalsOf('both')).toEqual([]);
    await node.step('both', [command.complete()]);
    expect(await send('begins')).toMatchObject({ runId: begun.runId });
    expect(await send('joins')).toMatchObject({ runId: begun.runId, started: false });
    expect((await node.describe('both')).workflowExecutionInfo?.status).toBe(2);
  });
});
