/**
 * `@perdure/sdk/testing`: run activities and workflows in tests.
 * @module
 */
import { sdkFile } from '../sandbox/bundle-plugin.js';

export type { DevServerConfig, EphemeralServerExecutable, TimeSkippingServerConfig } from './dev-server.js';
export * from './mock-activity-environment.js';
export * from './test-workflow-environment.js';
export { TimeSkippingWorkflowClient } from './time-skipping-client.js';

/**
 * For `interceptors.workflowModules` of a worker in a test: an assertion that fails in a workflow fails the workflow at once.
 *
 * @example
 * const worker = await Worker.create({ …, interceptors: { workflowModules: workflowInterceptorModules } });
 */
export const workflowInterceptorModules: string[] = [sdkFile('testing/assert-to-failure-interceptor')];
