// Workflows the SDK scenarios run.
import * as wf from '@perdure/sdk/workflow';
const acts = (o = {}) => wf.proxyActivities({ startToCloseTimeout: '10s', retry: { initialInterval: '200ms', maximumAttempts: 3 }, ...o });
export const go = wf.defineSignal('go');
export const state = wf.defineQuery('state');
export const setTo = wf.defineUpdate('setTo');

export async function oneActivity(name) { return acts().hello(name); }
export async function retried() { return acts().failTwice(); }
export async function failing() { return acts().alwaysFails(); }
export async function localOk() { return wf.proxyLocalActivities({ startToCloseTimeout: '5s' }).hello('local'); }
export async function localRetried() { return wf.proxyLocalActivities({ startToCloseTimeout: '5s', retry: { initialInterval: '50ms', maximumAttempts: 5 } }).failTwice(); }
export async function localFailing() { return wf.proxyLocalActivities({ startToCloseTimeout: '5s', retry: { initialInterval: '50ms', maximumAttempts: 2 } }).alwaysFails(); }
export async function localBackoffTimer() { return wf.proxyLocalActivities({ startToCloseTimeout: '5s', localRetryThreshold: '100ms', retry: { initialInterval: '500ms', maximumAttempts: 5 } }).failTwice(); }
export async function localLong() { return wf.proxyLocalActivities({ startToCloseTimeout: '20s' }).slow(4000); }
export async function localTimeout() { return wf.proxyLocalActivities({ startToCloseTimeout: '500ms', retry: { maximumAttempts: 1 } }).slow(3000); }
export async function sleeper() { await wf.sleep(500); return 'awake'; }
export async function sleepZero() { await wf.sleep(0); return 'awake'; }
export async function conditionTimeout() { return wf.condition(() => false, '500ms'); }
export async function conditionSignal() { let n = 0; wf.setHandler(go, () => { n++; }); const ok = await wf.condition(() => n > 1, '60s'); return ok; }
export async function handlers() {
  let value = 'start', end = false;
  wf.setHandler(go, () => { end = true; }); wf.setHandler(state, (fail) => { if (fail) throw new Error('query says no'); return value; });
  wf.setHandler(setTo, async (v) => { const before = value; if (v === 'fail') throw wf.ApplicationFailure.create({ message: 'update says no', type: 'UpdateNo' }); if (v === 'slow') await acts().hello('from update'); value = v; return before; }, { validator: (v) => { if (v === 'bad') throw new Error('validator says no'); } });
  await wf.condition(() => end); await wf.condition(wf.allHandlersFinished); return value;
}
export async function patched() { let r = 'old'; if (wf.patched('my-patch')) r = 'new'; await wf.sleep(100); if (wf.patched('my-patch')) r += '+new'; wf.deprecatePatch('older-patch'); return r; }
export async function child(what) { if (what === 'fail') throw wf.ApplicationFailure.create({ message: 'child says no', type: 'ChildNo', nonRetryable: true }); if (what === 'wait') await wf.sleep('1 hour'); return 'child ' + what; }
export async function parent(what) { return wf.executeChild(child, { args: [what], workflowId: wf.workflowInfo().workflowId + '-c' }); }
export async function parentCancels(type) {
  const scope = new wf.CancellationScope();
  try { return await scope.run(async () => { const h = await wf.startChild(child, { args: ['wait'], workflowId: wf.workflowInfo().workflowId + '-c', cancellationType: type }); scope.cancel(); return h.result(); }); } catch (e) { return wf.isCancellation(e) ? 'cancelled' : String(e); }
}
export async function again(n) { if (n > 0) await wf.continueAsNew(n - 1); return 'done'; }
export async function cancelActivity(type) {
  const a = wf.proxyActivities({ startToCloseTimeout: '30s', heartbeatTimeout: '2s', cancellationType: type, retry: { maximumAttempts: 1 } });
  const scope = new wf.CancellationScope(); let end = false; wf.setHandler(go, () => { end = true; });
  const p = scope.run(() => a.waitForCancel()); await wf.condition(() => end); scope.cancel();
  try { return await p; } catch (e) { return wf.isCancellation(e) ? 'cancelled' : String(e); }
}
export async function cancellable() { try { await wf.sleep('1 hour'); } catch (e) { if (!wf.isCancellation(e)) throw e; await wf.CancellationScope.nonCancellable(() => acts().hello('cleanup')); throw e; } }
export async function throwsFailure() { throw wf.ApplicationFailure.create({ message: 'workflow says no', type: 'WorkflowNo', details: [1, { a: 'b' }], cause: new Error('inner') }); }
export async function throwsError() { await wf.sleep(10); throw new TypeError('a bug'); }
export async function upserts() { wf.upsertSearchAttributes({ GoldKeyword: ['up'], GoldInt: [7] }); wf.upsertMemo({ m: 'memo', gone: null }); await wf.sleep(10); return wf.workflowInfo().memo ?? null; }
export async function summaries() { wf.setCurrentDetails('in the middle'); await wf.sleep(200, { summary: 'a nap' }); await wf.proxyActivities({ startToCloseTimeout: '5s', summary: 'says hello' }).hello('x'); return 1; }
export async function tellOther(id) { await wf.getExternalWorkflowHandle(id).signal('go'); return 'told'; }
export async function cancelOther(id) { try { await wf.getExternalWorkflowHandle(id).cancel(); return 'ok'; } catch (e) { return e.name + ': ' + e.message; } }
export async function timersAndActivities() { const r = await Promise.race([wf.sleep(200).then(() => 'timer'), acts().slow(1500)]); await wf.sleep(10); return r; }
export async function scopeTimeout() { try { return await wf.CancellationScope.withTimeout(300, () => wf.proxyActivities({ startToCloseTimeout: '10s', cancellationType: 'TRY_CANCEL' }).slow(2000)); } catch (e) { return wf.isCancellation(e) ? 'timed out' : String(e); } }
export async function changing() { let end = false; wf.setHandler(go, () => { end = true; }); await wf.sleep(10); await wf.condition(() => end); await acts().hello('v1'); return 1; }
export async function noHandler() { await wf.sleep(1500); return 'end'; }
