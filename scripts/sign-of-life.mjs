// Shows that something long goes on: a counting line on a terminal, a line every ten seconds elsewhere.

const EVERY_MS = process.stdout.isTTY ? 200 : 10_000;

const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** Says what begins; call the function it returns, with the outcome, at the end. */
export const signOfLife = (what) => {
  const since = performance.now();
  const write = (text, end) => process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${text}${end ? '\n' : ''}` : `${text}\n`);
  const timer = setInterval(() => write(`  ${what} … ${seconds(since)}`, false), EVERY_MS);
  timer.unref();
  if (process.stdout.isTTY) write(`  ${what} …`, false);
  return (outcome) => {
    clearInterval(timer);
    write(`  ${what}: ${outcome}, ${seconds(since)}`, true);
  };
};
