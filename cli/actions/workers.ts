/** Lists workers, and describes one. */
import type { temporal } from '@temporalio/proto';
import type { ListWorkersOptions } from '../commands/task-queue.js';
import type { ConnectionOptions } from '../options.js';
import { pairs, print, printJson, table } from '../output/print.js';
import { fromNow } from '../output/time.js';
import { withServer } from '../rpc/connection.js';
import { enumName, toProtoJson } from '../rpc/open-api.js';

type Worker = temporal.api.worker.v1.IWorkerListInfo;
type Slots = temporal.api.worker.v1.IWorkerSlotsInfo;

const statusWord = (status: number | null | undefined): string =>
  enumName('temporal.api.enums.v1.WorkerStatus', status).replace('WORKER_STATUS_', '').toLowerCase().replaceAll('_', ' ');

export const listWorkers = (options: ListWorkersOptions): Promise<void> =>
  withServer(options, async (server) => {
    const api = await server.workflows();
    const found: Worker[] = [];
    let nextPageToken: Uint8Array = new Uint8Array();
    do {
      const page = await api.listWorkers({
        namespace: options.namespace,
        query: options.query,
        pageSize: options.limit - found.length,
        nextPageToken,
      });
      found.push(...page.workers);
      nextPageToken = page.nextPageToken;
    } while (nextPageToken.length > 0 && found.length < options.limit);
    if (options.output === 'json') return printJson(found.map((one) => toProtoJson('temporal.api.worker.v1.WorkerListInfo', one)));
    const rows = found.map((w) => [
      w.workerInstanceKey ?? '',
      statusWord(w.status),
      w.taskQueue ?? '',
      w.workerIdentity ?? '',
      `${w.sdkName ?? ''} ${w.sdkVersion ?? ''}`,
      fromNow(w.startTime),
    ]);
    print(
      rows.length > 0
        ? table(['KEY', 'STATUS', 'TASK QUEUE', 'IDENTITY', 'SDK', 'STARTED'], rows)
        : `No workers in namespace "${options.namespace}".`,
    );
  });

export const describeWorker = (workerInstanceKey: string, options: ConnectionOptions): Promise<void> =>
  withServer(options, async (server) => {
    const { workerInfo } = await (await server.workflows()).describeWorker({ namespace: options.namespace, workerInstanceKey });
    if (options.output === 'json') return printJson(toProtoJson('temporal.api.worker.v1.WorkerInfo', workerInfo ?? {}));
    const w = workerInfo?.workerHeartbeat ?? {};
    print(
      pairs([
        ['Key', w.workerInstanceKey ?? ''],
        ['Status', statusWord(w.status)],
        ['Task queue', w.taskQueue ?? ''],
        ['Identity', w.workerIdentity ?? ''],
        ['Host', [w.hostInfo?.hostName, w.hostInfo?.processId && `process ${w.hostInfo.processId}`].filter(Boolean).join(', ')],
        ['SDK', `${w.sdkName ?? ''} ${w.sdkVersion ?? ''}`.trim()],
        ['Build', [w.deploymentVersion?.deploymentName, w.deploymentVersion?.buildId].filter(Boolean).join(' ')],
        ['Started', fromNow(w.startTime)],
        ['Last heartbeat', fromNow(w.heartbeatTime)],
        ['Workflow tasks', slots(w.workflowTaskSlotsInfo)],
        ['Activities', slots(w.activityTaskSlotsInfo)],
        ['Local activities', slots(w.localActivitySlotsInfo)],
      ]),
    );
  });

/** `3 running, 97 free, 1200 done, 4 failed`. */
function slots(info: Slots | null | undefined): string {
  if (!info) return '';
  const free = info.currentAvailableSlots ?? 0;
  const parts = [
    `${info.currentUsedSlots ?? 0} running`,
    free >= 0 ? `${free} free` : '',
    `${info.totalProcessedTasks ?? 0} done`,
    `${info.totalFailedTasks ?? 0} failed`,
  ];
  return parts.filter(Boolean).join(', ');
}
