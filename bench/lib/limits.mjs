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

/** Rows a second that go in by one connection, a thousand in a statement. */
export async function rowsPerSecond(databaseUrl, seconds) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(`create table if not exists ${TABLE}_many (id bigserial primary key, body bytea not null)`);
    const bodies = Array.from({ length: 1000 }, () => Buffer.alloc(1000, 7));
    const begin = performance.now();
    let count = 0;
    while (performance.now() - begin < seconds * 1000) {
      await client.query({ name: 'many', text: `insert into ${TABLE}_many (body) select unnest($1::bytea[])`, values: [bodies] });
      count += bodies.length;
    }
    return (count / (performance.now() - begin)) * 1000;
  } finally {
    await client.query(`drop table if exists ${TABLE}_many`);
    await client.end();
  }
}

/** The three of them, as lines for a report. */
export async function rawLimits({ address, databaseUrl }, seconds = 1) {
  const lines = [];
  if (databaseUrl) {
    const { one, eight } = await commitsPerSecond(databaseUrl, seconds);
    const rows = await rowsPerSecond(databaseUrl, seconds);
    lines.push(`raw PostgreSQL: ${Math.round(one)} commits/s by one connection, ${Math.round(eight)} by eight (one insert of 1 kB each); ${Math.round(rows)} rows/s of 1 kB, a thousand a statement`);
  }
  const unary = await unaryCallsPerSecond(address, seconds);
  lines.push(`raw gRPC: ${Math.round(unary)} unary calls/s by a plain grpc-js client (GetSystemInfo, 50 in flight, one connection)`);
  return lines;
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
