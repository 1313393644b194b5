/** What `run.mjs` measured, held against the goals. */

function line(what, value, unit, goal, atMost) {
  const suffix = unit && ` ${unit}`;
  const known = Number.isFinite(value);
  return {
    what,
    figure: known ? `${value.toFixed(value < 10 ? 2 : 0)}${suffix}` : '–',
    goal: `${atMost ? '<' : '>'} ${goal}${suffix}`,
    reached: !known ? '' : (atMost ? value < goal : value > goal) ? 'reached' : 'NOT reached',
    note: '',
  };
}

/** @param rows of the table; the goals are those of our worker and client at the numbers in flight that the scenarios name */
export function goalLines(rows) {
  const of = (sdk, scenario) => rows.find((row) => row.sdk === sdk && row.scenario === scenario);
  const lines = [];
  const one = of('ours', 'one-activity');
  const official = of('official', 'one-activity');
  if (one) {
    lines.push(line('one-activity workflow, 50 in flight', one.perSecond, 'workflows/s', 750));
    lines.push(line('CPU of engine and PostgreSQL per one-activity workflow', one.engine + one.postgres, 'ms', 1.2, true));
    if (official) lines.push(line('the same beside that of the official worker and client', (one.engine + one.postgres) / (official.worker + official.client), '', 0.2, true));
  }
  const ten = of('ours', 'ten-step');
  if (ten) {
    lines.push(line('ten-step workflow', ten.stepsPerSecond, 'steps/s', 1_900));
    lines.push(line('CPU of all processes per step', (ten.engine + ten.postgres + ten.worker + ten.client) / 10, 'ms', 1, true));
  }
  const sequential = of('ours', 'sequential');
  if (sequential) lines.push(line('one at a time, start to result, p50', sequential.p50, 'ms', 4, true));
  const signal = of('ours', 'signal');
  if (signal) lines.push(line('signal to completed, p50', signal.p50, 'ms', 4, true));
  return lines;
}
