/**
 * One call of the model. Its answer is kept in the shop's database before the workflow hears of it, so that a worker that dies in
 * between does not ask (and pay) again: the next attempt finds the answer there. The engine keeps it for good in the history.
 */
import { log as activityLog, sleep as activitySleep, activityInfo, cancellationSignal, heartbeat } from '@perdure/sdk/activity';
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
const KEEP_TRYING_MS = 30_000;
const RETRY_MS = 250;

export const askModel =
  ({ database, model }: Dependencies) =>
  async ({ step, messages, withTools }: ModelStep): Promise<ModelAnswer> => {
    const { workflowExecution } = activityInfo();
    const key = `${workflowExecution?.workflowId}/${workflowExecution?.runId}/${step}`;
    const [known] = await database.read((query) => query<{ reply: ModelAnswer }>('select reply from shop.model_calls where key = $1', [key]));
    if (known) return known.reply;
    const beating = setInterval(() => heartbeat(), HEARTBEAT_MS);
    try {
      const reply = await model.complete({ messages, tools: withTools ? TOOLS : [], idempotencyKey: key, signal: cancellationSignal() });
      const answer: ModelAnswer = { ...reply, model: model.name };
      await keepAnswer(database, key, answer);
      return answer;
    } finally {
      clearInterval(beating);
    }
  };

/** Stores an answer that was paid for. A database that is away is waited for; one that stays away is no reason to throw the answer away. */
async function keepAnswer(database: Dependencies['database'], key: string, answer: ModelAnswer): Promise<void> {
  const giveUpMs = Date.now() + KEEP_TRYING_MS;
  for (;;) {
    try {
      await database.write((query) =>
        query('insert into shop.model_calls (key, model, reply) values ($1, $2, $3) on conflict do nothing', [key, answer.model, JSON.stringify(answer)]),
      );
      return;
    } catch (error) {
      if (Date.now() >= giveUpMs) {
        activityLog.warn('The answer of the model could not be kept in the shop; the engine has it', { key, error });
        return;
      }
      await activitySleep(RETRY_MS);
    }
  }
}
