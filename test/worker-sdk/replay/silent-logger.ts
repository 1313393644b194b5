// A logger for tests that do not look at what is logged.
import type { Logger } from '../../../worker-sdk/definitions/logger.js';

const nothing = (): void => undefined;
export const silentLogger: Logger = { log: nothing, trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
