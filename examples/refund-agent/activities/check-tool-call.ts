/** Holds a tool call of the model against the JSON Schema of that tool. What does not fit goes back to the model as its own mistake. */
import { Ajv, type ValidateFunction } from 'ajv';
import { TOOLS } from '../agent/tools.js';
import type { ToolCall } from '../model/chat.js';

const ajv = new Ajv({ allErrors: true });
const checks = new Map<string, ValidateFunction>(TOOLS.map(({ name, parameters }) => [name, ajv.compile(parameters)]));

export type CheckedCall = { args: Record<string, unknown> } | { problem: string };

export async function checkToolCall({ name, argumentsJson }: ToolCall): Promise<CheckedCall> {
  const check = checks.get(name);
  if (!check) return { problem: `There is no tool "${name}"; there are ${[...checks.keys()].join(', ')}.` };
  let args: unknown;
  try {
    args = JSON.parse(argumentsJson);
  } catch {
    return { problem: `The arguments of ${name} are no JSON: ${argumentsJson.slice(0, 200)}` };
  }
  if (check(args)) return { args: args as Record<string, unknown> };
  return { problem: `The arguments of ${name} do not fit its schema: ${ajv.errorsText(check.errors, { dataVar: 'arguments' })}.` };
}
