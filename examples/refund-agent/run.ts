/** Starts the run for a dispute if there is none, and shows it step by step to its end. Killed and started again, it shows the same run. */
import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '@perdure/sdk/client';
import { followRun } from './follow/follow-run.js';
import { howToDecide } from './follow/how-to-decide.js';
import { Screen } from './follow/screen.js';
import { StepLines, stepName } from './follow/step-lines.js';
import { ADDRESS, ADDRESS_IS_USUAL, disputeToSettle, TASK_QUEUE, workflowIdOf } from './settings.js';
import type { refundAgent } from './workflows.js';

const disputeId = disputeToSettle();
const workflowId = workflowIdOf(disputeId);
const connection = await Connection.connect({ address: ADDRESS, connectTimeout: '1 minute' });
const client = new Client({ connection });

/** The one run for this dispute: a new one, or the one that is there, open or over. */
async function findOrStart(): Promise<{ runId: string; began: boolean }> {
  try {
    const handle = await client.workflow.start<typeof refundAgent>('refundAgent', {
      workflowId,
      taskQueue: TASK_QUEUE,
      args: [{ disputeId }],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `Dispute ${disputeId}`,
    });
    return { runId: handle.firstExecutionRunId, began: true };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { runId, began: false };
  }
}

/** An activity that is tried again leaves no event: what failed last is asked for. */
async function lastFailure(): Promise<string> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const activity = raw.pendingActivities?.[0];
  if (!activity?.lastFailure) return '';
  return `, attempt ${activity.attempt} after: ${activity.lastFailure.message ?? 'a failure without a text'}`;
}

const LOOK_EVERY_MS = 5_000;

const { runId, began } = await findOrStart();
console.log(began ? `Run ${runId} of ${workflowId} has started.` : `There is a run for dispute ${disputeId} already: ${runId} of ${workflowId}. This is its story so far.`);

const screen = new Screen();
const steps = new StepLines();
let trouble: string | undefined;
let retrying = '';
let invited = false;

const show = (): void => {
  const { activity, waitsForPerson } = steps.progress;
  if (trouble) screen.waiting(`the engine does not answer (${trouble})`);
  else if (waitsForPerson) screen.waiting('waiting for a decision', { inLog: false });
  else screen.waiting(activity ? `${stepName(activity)}${retrying}` : 'waiting for a worker');
};

/** Invites a decision once the story has come to where it waits. */
const invite = setInterval(() => {
  if (!steps.progress.waitsForPerson || invited) return;
  invited = true;
  screen.line(howToDecide(workflowId));
}, 200);

const look = setInterval(() => {
  if (!steps.progress.activity) return;
  lastFailure().then(
    (text) => {
      retrying = text;
      show();
    },
    () => undefined, // the engine is away; following says so
  );
}, LOOK_EVERY_MS);

show();
for await (const event of followRun(client, { workflowId, runId }, (problem) => {
  trouble = problem;
  show();
})) {
  for (const { at, step, outcome } of steps.of(event)) {
    retrying = '';
    screen.line(`${at.toLocaleTimeString('sv-SE')}  ${workflowId}  ${step.padEnd(10)}  ${outcome}`);
  }
  show();
}
clearInterval(invite);
clearInterval(look);
screen.end();
console.log(`Another dispute, of 1001 to 1024: ${ADDRESS_IS_USUAL ? '' : `PERDURE_ADDRESS=${ADDRESS} `}node examples/refund-agent/dist/run.js 1012`);
await connection.close();
