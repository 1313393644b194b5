/** What transport needs of a logger; pino's is one. */
export interface GrpcLog {
  error(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  info(fields: object, text: string): void;
}
