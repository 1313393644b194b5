/** The order of jobs in an activation, which workflow code can observe and which therefore never changes. */
import type { Job } from './protocol.js';

function rank(job: Job): number {
  if (job.initializeWorkflow) return 0;
  if (job.notifyHasPatch) return 1;
  if (job.updateRandomSeed) return 2;
  if (job.signalWorkflow || job.doUpdate) return 3;
  if (job.resolveActivity?.isLocal) return 5;
  if (job.queryWorkflow) return 6;
  return 4;
}

/** Start, patches, seed, signals and updates, all others, local activities, queries; the order within a rank is kept. */
export function sortJobs(jobs: Job[]): Job[] {
  return jobs.length < 2 ? jobs : jobs.sort((a, b) => rank(a) - rank(b));
}
