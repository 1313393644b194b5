/** A worker in a process of its own, on the built SDK, to be killed. Arguments: address, task queue, file that notes each activity. */
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@perdure/sdk/worker';

const [, , address, taskQueue, journal] = process.argv;
Runtime.install({ logger: new DefaultLogger('ERROR') });
const connection = await NativeConnection.connect({ address });
const worker = await Worker.create({
  connection,
  taskQueue,
  workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  stickyQueueScheduleToStartTimeout: '1 second',
  activities: {
    async echo(value) {
      appendFileSync(journal, `${process.pid} ${value}\n`);
      return value;
    },
  },
});
const running = worker.run();
process.send?.('ready');
await running;
await connection.close();
