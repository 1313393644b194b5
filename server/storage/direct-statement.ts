/**
 * A prepared statement that the driver queues and this file sends: everything in one buffer, and no description of the rows asked for, since their
 * columns are known. What is sent most often, the group commit, costs a third of what it costs by way of the driver's own statement.
 */
import type { Connection, Submittable } from 'pg';
import type { DirectParameter } from './binary-arrays.js';

/** A row: the text of each column. */
export type DirectRow = readonly (string | null)[];

interface PreparedConnection extends Connection {
  /** Statements by name, kept by the driver. */
  readonly parsedStatements: Readonly<Record<string, string | undefined>>;
}

/** The driver's part in a statement: it calls these as messages come. */
export class DirectStatement implements Submittable {
  private readonly rows: DirectRow[] = [];
  /** The driver puts a timeout around it. */
  callback: (error: Error | null | undefined, rows?: DirectRow[]) => void;

  constructor(
    readonly name: string,
    readonly text: string,
    private readonly values: readonly DirectParameter[],
    callback: (error: Error | null | undefined, rows?: DirectRow[]) => void,
  ) {
    this.callback = callback;
  }

  submit(connection: Connection): void {
    const { stream } = connection;
    const message = bindAndExecute(this.name, this.values, (length) => bufferOf(connection, length));
    if ((connection as PreparedConnection).parsedStatements[this.name] !== undefined) {
      stream.write(message);
      return;
    }
    stream.cork();
    connection.parse({ name: this.name, text: this.text, types: [] }, true);
    stream.write(message);
    stream.uncork();
  }

  handleDataRow({ fields }: { fields: DirectRow }): void {
    this.rows.push(fields);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.rows);
  }

  handleError(error: Error): void {
    this.callback(error);
  }

  handleRowDescription(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}
}

/** A buffer that has grown larger is not kept. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;
const FIRST_BYTES = 16 * 1024;

/** What a connection's statements are written into. The driver sends one when the one before has been answered: its bytes have been read by then. */
const buffers = new WeakMap<Connection, Buffer>();

function bufferOf(connection: Connection, length: number): Buffer {
  const kept = buffers.get(connection);
  if (kept && length <= kept.length) return kept.subarray(0, length);
  const larger = Buffer.allocUnsafe(Math.max(length, FIRST_BYTES, 2 * (kept?.length ?? 0)));
  if (larger.length <= KEPT_BYTES_MAX) buffers.set(connection, larger);
  return larger.subarray(0, length);
}

const TEXT = 0;
const BINARY = 1;
/** Execute of the unnamed portal, all rows, and Sync. */
const EXECUTE_AND_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);
const BIND = 0x42;

/** Bind, Execute and Sync of PostgreSQL's extended protocol in one buffer: columns and their values binary, other numbers as text, rows as text. */
function bindAndExecute(name: string, values: readonly DirectParameter[], buffer: (length: number) => Buffer): Buffer {
  const parameters = values.map((value) => (typeof value === 'number' ? String(value) : value));
  const nameBytes = Buffer.byteLength(name);
  let length = 4 + 1 + nameBytes + 1 + 2 + parameters.length * 2 + 2 + 2;
  for (const parameter of parameters) length += 4 + (typeof parameter === 'string' ? parameter.length : (parameter?.byteLength ?? 0));
  const message = buffer(1 + length + EXECUTE_AND_SYNC.length);
  message[0] = BIND;
  let at = message.writeInt32BE(length, 1);
  message[at++] = 0; // the unnamed portal
  at += message.write(name, at);
  message[at++] = 0;
  at = message.writeInt16BE(parameters.length, at);
  for (const parameter of parameters) at = message.writeInt16BE(typeof parameter === 'string' ? TEXT : BINARY, at);
  at = message.writeInt16BE(parameters.length, at);
  for (const parameter of parameters) {
    if (typeof parameter === 'string') {
      at = message.writeInt32BE(parameter.length, at);
      at += message.write(parameter, at, 'latin1');
    } else if (parameter === null) {
      at = message.writeInt32BE(-1, at);
    } else {
      at = message.writeInt32BE(parameter.byteLength, at);
      at = parameter.writeTo(message, at);
    }
  }
  at = message.writeInt16BE(0, at);
  message.set(EXECUTE_AND_SYNC, at);
  return message;
}
