/** The standard health service: every service SERVING while the engine takes requests, NOT_SERVING from the start of its stop. */
import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';

export interface Health {
  addTo(server: Server): void;
  /** Tells checkers and watchers whether requests are welcome. */
  setServing(serving: boolean): void;
}

/** Health of the server as a whole (the empty name) and of each service by its full name. */
export function createHealth(services: readonly string[]): Health {
  const names = ['', ...services];
  const implementation = new HealthImplementation(Object.fromEntries(names.map((name) => [name, 'NOT_SERVING'])));
  return {
    addTo: (server) => implementation.addToServer(server),
    setServing: (serving) => {
      for (const name of names) implementation.setStatus(name, serving ? 'SERVING' : 'NOT_SERVING');
    },
  };
}
