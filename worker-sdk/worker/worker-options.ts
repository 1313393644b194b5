/** What a worker can be told. */
import type { Duration } from '../definitions/duration.js';
import type { DataConverter } from '../payload/data-converter.js';
import type { PatchActivationCallback, WorkflowBundleOption } from '../replay/workflow-host.js';
import type { Connection } from '../transport/connection.js';
import type { WorkerInterceptors } from './interceptors.js';
import type { WorkerPlugin } from './plugin.js';
import type { InjectedSinks } from './sinks.js';
import type { WorkerTuner } from './tuner.js';
import type { WorkerDeploymentOptions } from './worker-version.js';

/** A fixed number of polls at most. */
export interface PollerBehaviorSimpleMaximum {
  type: 'simple-maximum';
  /** Default 50. */
  maximum?: number;
}

/** As many polls as the work asks for. */
export interface PollerBehaviorAutoscaling {
  type: 'autoscaling';
  /** Default 1. */
  minimum?: number;
  /** Default 100. */
  maximum?: number;
  /** Polls at the beginning, default 5. */
  initial?: number;
}

/** How many polls are made at once. */
export type PollerBehavior = PollerBehaviorSimpleMaximum | PollerBehaviorAutoscaling;

/** Options of {@link Worker.create}. */
export interface WorkerOptions {
  /** Default: a connection of its own to `localhost:7233`. */
  connection?: Connection;
  /** Default `default`. */
  namespace?: string;
  /** The queue whose tasks this worker takes. */
  taskQueue: string;
  /** Activity functions by name. A function named `default` takes activities of any other name. */
  activities?: object;
  /** File whose exports are the workflows (path or file URL). Bundled when the worker is made. */
  workflowsPath?: string;
  /** Workflows bundled ahead of time with {@link bundleWorkflowCode}. */
  workflowBundle?: WorkflowBundleOption;
  /** Options of the bundler, for `workflowsPath`. */
  bundlerOptions?: {
    /** Modules that workflow code imports but never uses. A name covers all below it: `aws` covers `aws/s3`. */
    ignoreModules?: string[];
    /** Packages to be instantiated once per run, because they keep state. */
    perRunModules?: string[];
    /**
     * Keeps bundles on disk, so that a worker whose code has not changed starts without bundling: `false` for no, or a folder. By default
     * `node_modules/.cache/perdure` beside the workflows, or what the environment variable PERDURE_BUNDLE_CACHE says (a folder, or `off`).
     */
    cache?: boolean | string;
  };
  /** Who this worker is, as shown in histories. Default `pid@hostname`. */
  identity?: string;
  /** Which build this is; recorded with each task. Default: a hash of the bundle given as `code`, else of where the workflows lie: name your builds. */
  buildId?: string;
  /** How this worker takes part in a worker deployment. */
  workerDeploymentOptions?: WorkerDeploymentOptions;
  /** How values become payloads; the same one as the clients'. */
  dataConverter?: DataConverter;
  /** Hooks around what the worker executes. Default: none. */
  interceptors?: WorkerInterceptors;
  /** Functions that workflow code calls by `proxySinks`. */
  // biome-ignore lint/suspicious/noExplicitAny: sinks of every type.
  sinks?: InjectedSinks<any>;
  /** Change these options and wrap the worker's run, after those of the connection that are worker plugins too. */
  plugins?: WorkerPlugin[];

  /** How long activities may go on after {@link Worker.shutdown}, before they are told to stop. Default 0. */
  shutdownGraceTime?: Duration;
  /** When {@link Worker.run} gives up waiting for them. Default: never. */
  shutdownForceTime?: Duration;

  /** Decides about slots. Exclusive with the `maxConcurrent…Executions`. */
  tuner?: WorkerTuner;
  /** Workflow tasks at once. Default 200. */
  maxConcurrentWorkflowTaskExecutions?: number;
  /** Activities at once. Default 100. */
  maxConcurrentActivityTaskExecutions?: number;
  /** Local activities at once. Default 100. */
  maxConcurrentLocalActivityExecutions?: number;
  /** False for a worker that takes no activity tasks, only local activities. Default true. */
  enableNonLocalActivities?: boolean;

  /**
   * Polls for workflow tasks at once, on both queues together, when there is work for so many. Default: one for each slot where calls
   * share a stream, which this project's server offers; else 50.
   */
  maxConcurrentWorkflowTaskPolls?: number;
  /** Polls for activity tasks at once, when there is work for so many. Default as for workflow tasks. */
  maxConcurrentActivityTaskPolls?: number;
  /** Exclusive with `maxConcurrentWorkflowTaskPolls`. */
  workflowTaskPollerBehavior?: PollerBehavior;
  /** Exclusive with `maxConcurrentActivityTaskPolls`. */
  activityTaskPollerBehavior?: PollerBehavior;
  /** Share of workflow polls that go to the shared queue rather than to this worker's sticky one. Default 0.2; 0.5 with a poll for each slot. */
  nonStickyToStickyPollRatio?: number;

  /** Activities begun each second by this worker. Default: no limit. */
  maxActivitiesPerSecond?: number;
  /** Activities handed out each second by the whole queue. Default: no limit. */
  maxTaskQueueActivitiesPerSecond?: number;
  /** Activities that may come in the answer of one workflow task. Default 3; 0 turns that off, and so does a limit on activities each second. */
  maxEagerActivityReservationsPerWorkflowTask?: number;

  /** Runs kept in memory between their tasks; 0 for none. Default: by the heap limit, at most 1000. */
  maxCachedWorkflows?: number;
  /** How long a task waits for this worker's cached run before any worker may take it. Default 10 seconds. */
  stickyQueueScheduleToStartTimeout?: Duration;

  /** Longest interval between two heartbeats of an activity. Default 60 seconds. */
  maxHeartbeatThrottleInterval?: Duration;
  /** Interval between heartbeats of activities that have no heartbeat timeout. Default 30 seconds. */
  defaultHeartbeatThrottleInterval?: Duration;

  /** Error classes that fail a workflow instead of its task, by workflow type; `*` for all. */
  workflowFailureErrorTypes?: Record<string, string[]>;
  /** Decides about patches that runs meet for the first time. Default: every run follows. */
  patchActivationCallback?: PatchActivationCallback;
  /** Include sources in the answers of the `__enhanced_stack_trace` query. Default false. */
  showStackTraceSources?: boolean;
  /** No limit on how long workflow code computes, for debuggers. Default false. */
  debugMode?: boolean;
}

/** Options of {@link Worker.runReplayHistory} and `runReplayHistories`. */
export type ReplayWorkerOptions = Pick<
  WorkerOptions,
  | 'workflowsPath'
  | 'workflowBundle'
  | 'bundlerOptions'
  | 'identity'
  | 'buildId'
  | 'workerDeploymentOptions'
  | 'dataConverter'
  | 'interceptors'
  | 'sinks'
  | 'plugins'
  | 'workflowFailureErrorTypes'
  | 'showStackTraceSources'
> & {
  /** For logs. */
  replayName?: string;
};
