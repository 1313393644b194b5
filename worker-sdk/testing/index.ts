/**
 * `@perdure/sdk/testing`: run activities and workflows in tests.
 * @module
 */
export type { DevServerConfig } from './dev-server.js';
export * from './mock-activity-environment.js';
export * from './test-workflow-environment.js';
