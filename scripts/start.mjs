// `npm start`: from a fresh checkout to a running engine, a worker and one agent run, and everything that keeps them alive until Ctrl-C.
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { build, install, requireNode, ROOT } from './prepare.mjs';
import { Supervised } from './supervise.mjs';

requireNode();
if (!['', 'off'].includes(process.env.PERDURE_TIME_SKIPPING ?? '')) {
  console.error(`npm start keeps its data, which live by a real clock: expected PERDURE_TIME_SKIPPING to be off, got ${process.env.PERDURE_TIME_SKIPPING}. \`perdure server start-dev\` takes it.`);
  process.exit(2);
}
const EXAMPLE = join(ROOT, 'examples', 'refund-agent');
const DATA = process.env.PERDURE_DATA_DIR || join(ROOT, '.perdure', 'postgres');
const say = (text) => process.stdout.write(`${text}\n`);

const running = []; // in the order of their start
let stopping = false;

const stop = async (code) => {
  if (stopping) return;
  stopping = true;
  for (const one of running.reverse()) await one.stop();
  say(code === 0 ? 'Stopped. What runs knew is kept; npm start goes on from there.' : 'Stopped.');
  process.exit(code);
};

// npm passes on a signal that the terminal has already sent, so a second one right after the first means nothing
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void stop(0));
process.on('SIGHUP', () => {
  if (process.stdout.isTTY) void stop(0); // under nohup there is no terminal whose end could be meant
});

const isFree = (port, host) =>
  new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });

/** The wanted port if nobody has it, else any free one. */
const choosePort = async (wanted, host, what) => {
  if (wanted === '0' || wanted === 'off' || (await isFree(Number(wanted), host))) return wanted;
  say(`Port ${wanted} is taken; ${what} gets another one.`);
  return '0';
};

const startEngine = async () => {
  const host = process.env.PERDURE_GRPC_HOST || '127.0.0.1';
  const httpHost = process.env.PERDURE_HTTP_HOST || '127.0.0.1';
  let grpc = await choosePort(process.env.PERDURE_GRPC_PORT || '7233', host, 'gRPC');
  let http = await choosePort(process.env.PERDURE_HTTP_PORT || '8233', httpHost, 'HTTP');
  const database = process.env.DATABASE_URL ? [] : ['--db-filename', DATA];
  let served = false; // once it has, whatever ends it is an accident
  const engine = new Supervised(
    'engine',
    () => ({
      args: [join(ROOT, 'cli', 'bin', 'perdure.js'), 'server', 'start-dev', ...database, '--ip', host, '--port', grpc, '--http-ip', httpHost, '--http-port', http],
      env: { PERDURE_LOG_LEVEL: 'warn', PERDURE_LOG_FORMAT: 'pretty', ...process.env },
    }),
    { giveUp: (code) => !served && (code === 1 || code === 2) }, // it said itself what is wrong
  );
  running.push(engine);
  const ready = new Promise((resolve) => {
    engine.on('message', (message) => {
      if (message?.type !== 'ready') return;
      served = true;
      // started again, it has to be where everybody looks for it
      grpc = message.grpcAddress.split(':').pop();
      if (http !== 'off') http = message.httpAddress.split(':').pop();
      resolve(message);
    });
    engine.on('gaveUp', () => void stop(1));
  });
  engine.on('ended', (how) => say(`The engine ended (${how}); starting it again.`));
  engine.start();
  return ready;
};

const example = (file, environment, options) => {
  const path = join(EXAMPLE, 'dist', file);
  if (!existsSync(path)) throw new Error(`The example has no ${path}.`);
  return new Supervised(file.replace('.js', ''), () => ({ args: ['--import', join(ROOT, 'scripts', 'exit-with-parent.mjs'), path], env: environment }), options);
};

const MOST_TRIES = 5;

/** Runs to its end; what it does may be done again, so a failure (the engine may have been killed meanwhile) is tried again, and only the fifth ends everything. */
const toItsEnd = async (file, environment) => {
  let tries = 0;
  const one = example(file, environment, { giveUp: (code) => code === 0 || ++tries >= MOST_TRIES });
  running.push(one);
  const code = await new Promise((resolve) => one.on('gaveUp', (_how, status) => resolve(status)).start());
  running.splice(running.indexOf(one), 1);
  if (code === 0 || stopping) return;
  say(`${file} failed (exit code ${code}).`);
  await stop(1);
};

say('Perdure: an engine, a worker and one agent run. Ctrl-C stops all of it.');
await install();
await build(['server', 'worker-sdk', 'cli', 'examples/refund-agent']);
const { onNpmGone } = await import('../server/dist/npm-parent.js');
onNpmGone(() => void stop(0));
const engine = await startEngine();

const environment = {
  ...process.env,
  DATABASE_URL: engine.databaseUrl,
  PERDURE_ADDRESS: engine.grpcAddress,
  // shown by the example when it waits for a person
  PERDURE_HTTP_ADDRESS: engine.httpAddress === '' ? 'off' : `http://${engine.httpAddress}`,
  PERDURE_DATA: engine.dataDirectory === undefined ? 'in the database of DATABASE_URL' : `in ${engine.dataDirectory}`,
};
await toItsEnd('seed.js', environment);
if (!stopping) {
  const worker = example('worker.js', environment);
  worker.on('ended', (how) => say(`The worker ended (${how}); starting it again.`));
  running.push(worker.start());
  // it follows the run to its end, and is told to look again if it is killed meanwhile
  const run = example('run.js', environment, { giveUp: (code) => code === 0 });
  run.on('gaveUp', () => say('The run is over. The engine and the worker go on until Ctrl-C.'));
  running.push(run.start());
}
