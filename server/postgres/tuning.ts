/** How the embedded PostgreSQL is set up: small, quiet, reachable by its socket alone. */

export interface Tuning {
  readonly socketFolder: string;
  /** False: the cluster is thrown away at its end. */
  readonly lasting: boolean;
  /** False switches fsync off: only for tests of this repository, whose data nobody needs. */
  readonly durable: boolean;
  readonly maxConnections: number;
}

const COMMON = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  // no helpers that one engine on one machine has no use for
  jit: 'off',
  max_logical_replication_workers: '0',
  max_parallel_workers_per_gather: '0',
  io_method: 'sync',
  huge_pages: 'off',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
  timezone: 'UTC',
} as const;

const LASTING = { shared_buffers: '128MB', max_wal_size: '1GB' } as const;

/** Dozens of these run side by side. */
const EPHEMERAL = {
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  min_wal_size: '16MB',
  wal_buffers: '2MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_worker_processes: '2',
  // its end throws the data away, so only a crash of PostgreSQL itself has to be survived, and for that the page cache of the system is enough
  full_page_writes: 'off',
} as const;

/** Command line arguments of `postgres`. */
export const postgresArguments = (dataDirectory: string, tuning: Tuning): string[] => {
  const values: Record<string, string> = {
    ...COMMON,
    ...(tuning.lasting ? LASTING : EPHEMERAL),
    unix_socket_directories: tuning.socketFolder,
    max_connections: String(tuning.maxConnections),
    fsync: tuning.durable ? 'on' : 'off',
  };
  return ['-D', dataDirectory, ...Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
};
