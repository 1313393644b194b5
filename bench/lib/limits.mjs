/** The machine's own limits, measured beside the engine: they are what the engine's figures are to be read against. */
import { Client, credentials } from '@grpc/grpc-js';
import pg from 'pg';

const TABLE = 'bench_raw_commits';

/** Commits a second of one small insert each, by one connection and by eight. */
export async function commitsPerSecond(databaseUrl, seconds) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 8 });
  try {
    await pool.query(`create table if not exists ${TABLE} (id bigserial primary key, body bytea not null)`);
    const body = Buffer.alloc(1000, 7);
    const measure = async (connections) => {
      const end = performance.now() + seconds * 1000;
      let count = 0;
      const begin = performance.now();
      await Promise.all(
        Array.from({ length: connections }, async () => {
          const client = await pool.connect();
          while (performance.now() < end) {
            await client.query({ name: 'raw', text: `insert into ${TABLE} (body) values ($1)`, values: [body] });
            count++;
          }
          client.release();
        }),
      );
      return (count / (performance.now() - begin)) * 1000;
    };
    return { one: await measure(1), eight: await measure(8) };
  } finally {
    await pool.query(`drop table if exists ${TABLE}`);
    await pool.end();
  }
}

/** Unary gRPC calls a second that the server answers, by a client that does nothing else. */
export async function unaryCallsPerSecond(address, seconds) {
  const client = new Client(address, credentials.createInsecure());
  const path = '/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo';
  const same = (bytes) => bytes;
  const call = () =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(path, same, same, Buffer.alloc(0), (err, response) => (err ? reject(err) : resolve(response)));
    });
  const begin = performance.now();
  const end = begin + seconds * 1000;
  let count = 0;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (performance.now() < end) {
        await call();
        count++;
      }
    }),
  );
  client.close();
  return (count / (performance.now() - begin)) * 1000;
}
