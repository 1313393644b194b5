/**
 * One call of the model. Its answer is kept in the shop's database before the workflow hears of it, so that a worker that dies in
 * between does not ask (and pay) again: the next attempt finds the answer there. The engine keeps it for good in the history.
 */
import { activityInfo, cancellationSignal, heartbeat } from '@perdure/sdk/activity';
import { TOOLS } from '../agent/tools.js';
import type { ChatMessage, ModelReply } from '../model/chat.js';
import type { Dependencies } from './index.js';

export interface ModelStep {
  /** Names the step within its run: the same for every attempt. */
  step: string;
  messages: readonly ChatMessage[];
  /** Whether the model may call tools; otherwise it is to write. */
  withTools: boolean;
}

export interface ModelAnswer extends ModelReply {
  /** Which model said it. */
  model: string;
}

const HEARTBEAT_MS = 2_000;

export const askModel =
  ({ database, model }: Dependencies) =>
  async ({ step, messages, withTools }: ModelStep): Promise<ModelAnswer> => {
    const { workflowExecution } = activityInfo();
    const key = `${workflowExecution?.workflowId}/${workflowExecution?.runId}/${step}`;
    const [known] = await database.read((query) => query<{ reply: ModelAnswer }>('select reply from shop.model_calls where key = $1', [key]));
    if (known) return known.reply;
    const beating = setInterval(() => heartbeat(), HEARTBEAT_MS);
    const reply = await model
      .complete({ messages, tools: withTools ? TOOLS : [], idempotencyKey: key, signal: cancellationSignal() })
      .finally(() => clearInterval(beating));
    const answer: ModelAnswer = { ...reply, model: model.name };
    await database.write((query) =>
      query('insert into shop.model_calls (key, model, reply) values ($1, $2, $3) on conflict do nothing', [key, model.name, JSON.stringify(answer)]),
    );
    return answer;
  };
