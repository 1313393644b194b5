// What workflow code does: globals, local time, promises that nobody awaits, state outside of functions.
import { errors, testRule } from './rule-tester.js';

testRule('no-nondeterministic-globals', {
  valid: [
    `const now = Date.now(); const id = crypto.randomUUID(); const n = Math.random(); setTimeout(f, 10);`,
    `function f(fetch) { return fetch('x'); }`,
    `const api = { fetch() {} }; api.fetch(); const { fetch } = api;`,
    `import { fetch } from './mine.js';\nfetch();`,
    `if (typeof fetch === 'function') f();`,
    `const production = process.env.NODE_ENV === 'production';`,
    `process.nextTick(f);`,
    `type F = typeof fetch; let w: WeakRef<object>; interface X { fetch: string }`,
    `class A { fetch = 1; setInterval() {} }`,
  ],
  invalid: [
    { code: `await fetch('https://example.com');`, errors: [{ message: 'fetch cannot be used in workflow code. It reaches the network: call it in an activity.' }] },
    { code: `await globalThis.fetch('x');`, errors: errors('global') },
    { code: `const call = fetch;`, errors: errors('global') },
    { code: `const tools = { fetch };`, errors: errors('global') },
    { code: `setInterval(f, 1000);`, errors: errors('global') },
    { code: `setImmediate(f);`, errors: errors('global') },
    { code: `new WeakRef(x);`, errors: errors('global') },
    { code: `new FinalizationRegistry(f);`, errors: errors('global') },
    { code: `const home = process.env.HOME;`, errors: [{ messageId: 'global', data: { name: 'process.env', fix: 'It may differ from worker to worker: read it in an activity, or pass it to the workflow as an argument.' } }] },
    { code: `process.hrtime.bigint();`, errors: errors('global') },
    { code: `process.exit(1);`, errors: errors('global') },
    { code: `await crypto.subtle.digest('SHA-256', x);`, errors: errors('global') },
  ],
  javascript: { valid: [`Date.now()`], invalid: [{ code: `fetch('x')`, errors: errors('global') }] },
});

testRule('no-local-time', {
  valid: [
    `new Date().getUTCHours();`,
    `new Date(ms).toISOString(); new Date('2020-01-01T00:00:00Z'); new Date(Date.UTC(2020, 1, 1));`,
    `date.toLocaleDateString('en-US', { timeZone: 'UTC' });`,
    `date.toLocaleTimeString('en-US', options);`,
    `price.toLocaleString('en-US');`,
    `new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'Europe/Paris' });`,
  ],
  invalid: [
    { code: `new Date().getHours();`, errors: [{ message: 'getHours() depends on the time zone of the worker, which may be another in replay. Use getUTCHours().' }] },
    { code: `date.setMonth(3);`, errors: errors('local') },
    { code: `date.getTimezoneOffset();`, errors: errors('local') },
    { code: `new Date(2020, 1, 1);`, errors: errors('parts') },
    { code: `date.toLocaleDateString('en-US');`, errors: errors('zone') },
    { code: `date.toLocaleTimeString('en-US', { hour12: false });`, errors: errors('zone') },
    { code: `price.toLocaleString();`, errors: errors('language') },
    { code: `new Intl.DateTimeFormat('en-US').format();`, errors: errors('zone') },
  ],
});

const PROXIES = `import { proxyActivities, sleep, condition, executeChild, CancellationScope } from '@perdure/sdk/workflow';
const acts = proxyActivities({ startToCloseTimeout: '1m' });
const { pay, refund } = acts;
const charge = acts.charge;
`;
const inWorkflow = (body: string): string => `${PROXIES}export async function wf(list) { ${body} }`;

testRule('no-floating-promises', {
  valid: [
    inWorkflow(`await pay(1); await acts.refund(2); return charge(3);`),
    inWorkflow(`const paid = pay(1); await sleep(1); await paid;`),
    inWorkflow(`await Promise.all([pay(1), refund(2)]); await Promise.all(list.map((item) => pay(item)));`),
    inWorkflow(`void pay(1);`),
    inWorkflow(`pay(1).catch(() => undefined); pay(1).then(done, failed);`),
    inWorkflow(`const ok = await condition(() => true, 1000) || await executeChild('x');`),
    inWorkflow(`list.forEach((item) => item.total += 1); list.push(pay(1));`),
    inWorkflow(`console.log('x'); other.pay(1); const { pay } = mine; pay(1);`),
    `async function pay() {}\nexport async function wf() { await pay(); }`,
    `function sleep() {}\nsleep();`,
  ],
  invalid: [
    { code: inWorkflow(`pay(1);`), errors: [{ messageId: 'floating', data: { what: 'the activity pay()' } }] },
    { code: inWorkflow(`acts.refund(1);`), errors: [{ messageId: 'floating', data: { what: 'the activity acts.refund()' } }] },
    { code: inWorkflow(`charge(1);`), errors: errors('floating') },
    { code: inWorkflow(`sleep('1 day');`), errors: errors('floating') },
    { code: inWorkflow(`condition(() => true);`), errors: errors('floating') },
    { code: inWorkflow(`executeChild('x');`), errors: errors('floating') },
    { code: inWorkflow(`pay(1).then(done);`), errors: errors('floating') },
    { code: inWorkflow(`pay(1).finally(done);`), errors: errors('floating') },
    { code: inWorkflow(`list.length > 0 ? pay(1) : refund(1);`), errors: errors('floating', 'floating') },
    { code: inWorkflow(`list.length > 0 && pay(1);`), errors: errors('floating') },
    { code: inWorkflow(`acts?.pay?.(1);`), errors: errors('floating') },
    { code: inWorkflow(`const paid = pay(1);`), errors: [{ messageId: 'unused', data: { what: 'the activity pay()', name: 'paid' } }] },
    { code: inWorkflow(`list.forEach((item) => pay(item));`), errors: errors('floating') },
    { code: inWorkflow(`list.forEach(async (item) => { await pay(item); });`), errors: errors('forEach') },
    { code: inWorkflow(`list.map((item) => pay(item));`), errors: errors('floating') },
    { code: `import * as wf from '@perdure/sdk/workflow';\nexport async function f() { wf.sleep(1); wf.proxyActivities({}).pay(); }`, errors: errors('floating', 'floating') },
    { code: `import { sleep } from '@temporalio/workflow';\nexport async function f() { sleep(1); }`, errors: errors('floating') },
    { code: `async function step() {}\nconst other = async () => {};\nexport async function f() { step(); other(); }`, errors: errors('floating', 'floating') },
  ],
  typed: {
    valid: [
      `declare const store: { save(): Promise<void>; count(): number };\nexport async function f() { await store.save(); store.count(); const later = store.save(); return later; }`,
    ],
    invalid: [
      { code: `declare const store: { save(): Promise<void> };\nexport async function f() { store.save(); }`, errors: [{ messageId: 'floating', data: { what: 'store.save()' } }] },
      { code: `declare function maybe(): Promise<void> | undefined;\nexport async function f() { maybe(); }`, errors: errors('floating') },
    ],
  },
});

testRule('no-module-state', {
  valid: [
    `const LIMIT = 3; const names = ['a'].concat('b'); export async function wf() { let n = LIMIT; n++; const list = []; list.push(n); return names.slice().sort(); }`,
    `const table = new Map(); table.set('a', 1); let best = 0; best = 1; export const wf = async () => table.get('a');`,
    `import { config } from './config.js';\nexport async function wf() { return config.limit; }`,
    `export async function wf(state) { state.n = 1; state.list.push(1); globalThis.n; }`,
    `import { setHandler } from '@perdure/sdk/workflow';\nconst go = defineSignal('go'); export async function wf() { let on = false; setHandler(go, () => { on = true; }); }`,
  ],
  invalid: [
    { code: `let count = 0;\nexport async function wf() { count += 1; }`, errors: errors('assigned') },
    { code: `let last;\nexport const wf = async () => { last = Date.now(); };`, errors: errors('assigned') },
    { code: `const seen = new Set();\nexport async function wf(id) { seen.add(id); }`, errors: [{ messageId: 'mutated' }] },
    { code: `const cache = {};\nexport async function wf(id) { cache[id] = 1; delete cache[id]; cache.n++; }`, errors: errors('mutated', 'mutated', 'mutated') },
    { code: `const state = { list: [] };\nexport async function wf() { state.list.push(1); }`, errors: errors('mutated') },
    { code: `class Counter { static n = 0; }\nexport async function wf() { Counter.n++; }`, errors: errors('mutated') },
    { code: `import { settings } from 'lib';\nexport async function wf() { settings.fast = true; }`, errors: errors('imported') },
    { code: `import * as lib from 'lib';\nexport async function wf() { lib.list.push(1); }`, errors: errors('imported') },
    { code: `export async function wf() { globalThis.n = 1; }`, errors: errors('global') },
  ],
  javascript: { valid: [], invalid: [{ code: `let n = 0; export function wf() { n++; }`, errors: errors('assigned') }] },
});
