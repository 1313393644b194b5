/**
 * `@perdure/sdk/testing`: run activities and workflows in tests.
 * @module
 */
export * from './mock-activity-environment.js';
