/** The worker process: takes workflow and activity tasks of the refund agent until it is told to stop. */
import { fileURLToPath } from 'node:url';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@perdure/sdk/worker';
import { createActivities } from './activities/index.js';
import { ADDRESS, TASK_QUEUE } from './settings.js';
import { chooseModel } from './model/choose-model.js';
import { databaseUrl, openShopDatabase } from './shop/database.js';

const database = openShopDatabase(databaseUrl());
const { model, sentence } = chooseModel(process.env);
Runtime.install({ logger: new DefaultLogger('WARN') });

const connection = await NativeConnection.connect({ address: ADDRESS, connectTimeout: '1 minute' });
const worker = await Worker.create({
  connection,
  taskQueue: TASK_QUEUE,
  workflowsPath: fileURLToPath(new URL('./workflows.js', import.meta.url)),
  activities: createActivities({ database, model }),
  shutdownGraceTime: '10 seconds',
});
const clearLine = process.stdout.isTTY ? '\r\x1b[K' : ''; // another process may be counting seconds there
console.log(`${clearLine}A worker takes the tasks of queue "${TASK_QUEUE}" at ${ADDRESS}. ${sentence}`);
await worker.run(); // until SIGINT or SIGTERM
await connection.close();
await database.close();
