/** The standard health service: every service SERVING while the engine takes requests, NOT_SERVING from the start of its stop. */
import { createRequire } from 'node:module';
import type { Server } from '@grpc/grpc-js';
import type { HealthImplementation } from 'grpc-health-check';
import { addLazyService, type Registration, registrations } from './lazy-service.js';

export interface Health {
  addTo(server: Server): void;
  /** Tells checkers and watchers whether requests are welcome. */
  setServing(serving: boolean): void;
}

const METHODS = [{ name: 'Check' }, { name: 'Watch', responseStream: true }, { name: 'List' }];

export const healthPackage = (): typeof import('grpc-health-check') => createRequire(import.meta.url)('grpc-health-check');

/** Health of the server as a whole (the empty name) and of each service by its full name. */
export function createHealth(services: readonly string[]): Health {
  const names = ['', ...services];
  let serving = false;
  let made: { implementation: HealthImplementation; registration: Registration } | undefined;
  const status = () => (serving ? 'SERVING' : 'NOT_SERVING');
  const make = () => {
    const { HealthImplementation } = healthPackage();
    const implementation = new HealthImplementation(Object.fromEntries(names.map((name) => [name, status()])));
    return { implementation, registration: registrations(implementation)[0]! };
  };
  return {
    addTo: (server) =>
      addLazyService(server, 'grpc.health.v1.Health', METHODS, () => {
        made ??= make();
        return made.registration;
      }),
    setServing(now) {
      serving = now;
      for (const name of names) made?.implementation.setStatus(name, status());
    },
  };
}
