/**
 * Where a workflow waits: for the stack trace queries. What is awaited through the SDK remembers where it was asked for, as an Error whose
 * text is made only when somebody asks.
 */
import type { StackTraceFileLocation } from './enhanced-stack-trace.js';
import type { Completion, RunContext } from './run-context.js';

export interface PendingStack {
  formatted: string;
  locations: StackTraceFileLocation[];
}

const FRAME = /^\s*at (?:(?:async )?(.*?) \()?(.+?):(\d+):(\d+)\)?$/;
const OURS = /perdure-sandbox:|node:/;

/** The places where the run's code waits for timers, activities, children, signals and conditions. */
export function pendingStacks(run: RunContext): PendingStack[] {
  const waiting: { waitsAt?: Error }[] = [];
  const maps: ReadonlyMap<number, Completion | { waitsAt?: Error }>[] = [
    run.timers,
    run.activities,
    run.childStarts,
    run.childResults,
    run.signalsSent,
    run.cancelsSent,
    run.conditions,
  ];
  for (const map of maps) waiting.push(...(map.values() as Iterable<{ waitsAt?: Error }>));
  const stacks = new Map<string, PendingStack>();
  for (const { waitsAt } of waiting) {
    const lines = (waitsAt?.stack ?? '').split('\n').filter((line) => FRAME.test(line) && !OURS.test(line));
    if (lines.length > 0) stacks.set(lines.join('\n'), { formatted: lines.join('\n'), locations: lines.map(locationOf) });
  }
  return [...stacks.values()];
}

function locationOf(line: string): StackTraceFileLocation {
  const [, name, path, lineNumber, column] = FRAME.exec(line)!;
  return { function_name: name, file_path: path, line: Number(lineNumber), column: Number(column), internal_code: false };
}
