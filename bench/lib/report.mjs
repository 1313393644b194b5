/** Figures as a table that people and README.md can read. */

export function percentile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

const number = (value, digits = 1) => (value === undefined || Number.isNaN(value) ? '–' : value.toFixed(value >= 100 ? 0 : digits));

/** One row of the table, from a measurement. */
export function row({ sdk, scenario, inFlight, stepsPerWorkflow, latencies, elapsedMs, cpu }) {
  const sorted = [...latencies].sort((a, b) => a - b);
  const perWorkflow = (ms) => (ms === undefined ? undefined : ms / latencies.length);
  const perSecond = (latencies.length / elapsedMs) * 1000;
  const columns = {
    workflows: latencies.length,
    perSecond,
    stepsPerSecond: perSecond * stepsPerWorkflow,
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    engine: perWorkflow(cpu.engine),
    postgres: perWorkflow(cpu.postgres),
    worker: perWorkflow(cpu.worker),
    client: perWorkflow(cpu.client),
  };
  return { sdk, scenario, inFlight, ...columns };
}

/** Rows as Markdown. Latencies in ms, CPU in ms per workflow. */
export function table(rows) {
  const head = ['scenario', 'SDK', 'in flight', 'workflows/s', 'steps/s', 'p50 ms', 'p95 ms', 'engine', 'postgres', 'worker', 'client'];
  const lines = rows.map((r) => [
    r.scenario,
    r.sdk,
    String(r.inFlight),
    number(r.perSecond),
    number(r.stepsPerSecond),
    number(r.p50),
    number(r.p95),
    number(r.engine, 2),
    number(r.postgres, 2),
    number(r.worker, 2),
    number(r.client, 2),
  ]);
  const widths = head.map((title, i) => Math.max(title.length, ...lines.map((line) => line[i].length)));
  const pad = (cells) => `| ${cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i < 2 ? `${'-'.repeat(width + 2)}` : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [pad(head), rule, ...lines.map(pad)].join('\n');
}
