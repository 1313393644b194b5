/** Where the engine is and what is asked of it, from the environment. */

/** gRPC address of the engine. */
export const ADDRESS = process.env['PERDURE_ADDRESS'] || '127.0.0.1:7233';

/** Nobody needs to name it. */
export const ADDRESS_IS_USUAL = ['127.0.0.1:7233', 'localhost:7233', '[::1]:7233'].includes(ADDRESS);

/** The queue that connects those who start runs with the workers. */
export const TASK_QUEUE = 'refund-agent';

const DEFAULT_DISPUTE = 1007;

/** The dispute to settle: the first argument, or REFUND_AGENT_DISPUTE. */
export function disputeToSettle(): number {
  const given = process.argv[2] ?? process.env['REFUND_AGENT_DISPUTE'];
  if (given === undefined || given === '') return DEFAULT_DISPUTE;
  if (/^[1-9]\d{0,8}$/.test(given)) return Number(given);
  console.error(`Expected the number of a dispute, such as ${DEFAULT_DISPUTE}; got ${JSON.stringify(given)}.`);
  process.exit(2);
}

/** One run for a dispute: the id of the workflow says which. */
export const workflowIdOf = (disputeId: number): string => `refund-dispute-${disputeId}`;
