/** The client for schedules. */
import { randomUUID } from 'node:crypto';
import { status } from '@grpc/grpc-js';
import type { temporal } from '../definitions/api.js';
import { composeInterceptors } from '../definitions/interceptors.js';
import type { Workflow } from '../definitions/workflow.js';
import { encodeMapToPayloads } from '../payload/conversion.js';
import { isGrpcServiceError } from '../transport/grpc-error.js';
import type { BaseClientOptions, LoadedWithDefaults } from './base-client.js';
import { BaseClient } from './base-client.js';
import { rethrowKnownErrorTypes, ScheduleAlreadyRunning, ScheduleNotFoundError, ServiceError } from './errors.js';
import type { RpcContext } from './rpc-context.js';
import { compileAction, decodeDescription, decodeSummary, encodeAttributes, encodeBackfills, encodeSchedule } from './schedule-messages.js';
import type {
  Backfill,
  CreateScheduleInput,
  CreateScheduleOutput,
  ScheduleClientInterceptor,
  ScheduleDescription,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  ScheduleSummary,
  ScheduleUpdateOptions,
} from './schedule-types.js';
import { encodeScheduleOverlapPolicy } from './schedule-types.js';

type Patch = temporal.api.schedule.v1.ISchedulePatch;

/** A handle on one schedule. */
export interface ScheduleHandle {
  /** Unique in its namespace. */
  readonly scheduleId: string;
  /** What the server knows of the schedule now. @throws ScheduleNotFoundError */
  describe(): Promise<ScheduleDescription>;
  /** Changes the schedule to what `updateFn` makes of its description. */
  update<W extends Workflow = Workflow>(
    updateFn: (previous: ScheduleDescription) => ScheduleUpdateOptions<ScheduleOptionsStartWorkflowAction<W>>,
  ): Promise<void>;
  /** Deletes the schedule; workflows that it started go on. */
  delete(): Promise<void>;
  /** Takes an action now. @param overlap Default `ALLOW_ALL`. */
  trigger(overlap?: ScheduleOverlapPolicy): Promise<void>;
  /** Takes the actions of times gone by. */
  backfill(options: Backfill | Backfill[]): Promise<void>;
  /** Takes no more actions on time, until {@link unpause}; {@link trigger} and {@link backfill} still do. @param note Default `Paused via TypeScript SDK`. */
  pause(note?: string): Promise<void>;
  /** Takes actions again. Those missed in the pause are not made up for. @param note Default `Unpaused via TypeScript SDK`. */
  unpause(note?: string): Promise<void>;
  /** The one that made the handle. */
  readonly client: ScheduleClient;
}

/** Options of {@link ScheduleClient}. */
export interface ScheduleClientOptions extends BaseClientOptions {
  /** Hooks around calls; the first is the outermost. */
  interceptors?: ScheduleClientInterceptor[];
}

/** {@link ScheduleClientOptions} with defaults filled in. */
export type LoadedScheduleClientOptions = LoadedWithDefaults<ScheduleClientOptions>;

/** Options of {@link ScheduleClient.list}. */
export interface ListScheduleOptions {
  /** Schedules fetched by one call. Default 1000. */
  pageSize?: number;
  /** For example `TemporalSchedulePaused = true`. Default: all schedules. */
  query?: string;
}

/**
 * Makes schedules and handles on them. Usually reached as {@link Client.schedule}. For servers that have schedules: Perdure's own does not serve them yet,
 * every call ends there with a ServiceError whose cause says UNIMPLEMENTED.
 */
export class ScheduleClient extends BaseClient {
  /** As given, with defaults. */
  readonly options: LoadedScheduleClientOptions;
  private readonly ctx: RpcContext;

  constructor(options: ScheduleClientOptions = {}) {
    super(options);
    this.options = { ...this.baseOptions(), dataConverter: options.dataConverter ?? {}, interceptors: options.interceptors ?? [] };
    const { namespace, identity } = this;
    this.ctx = { service: this.workflowService, namespace, identity, converter: this.dataConverter, eagerStarts: () => undefined };
  }

  /**
   * Makes a schedule.
   * @throws ScheduleAlreadyRunning when one of that id exists.
   * @example
   * await client.schedule.create({
   *   scheduleId: 'nightly', spec: { calendars: [{ hour: 2 }] },
   *   action: { type: 'startWorkflow', workflowType: cleanUp, taskQueue: 'jobs' },
   * });
   */
  async create<W extends Workflow = Workflow>(options: ScheduleOptions<ScheduleOptionsStartWorkflowAction<W>>): Promise<ScheduleHandle> {
    const { scheduleId } = options;
    const action = compileAction(scheduleId, options.action as ScheduleOptionsStartWorkflowAction<Workflow>);
    const next = composeInterceptors(this.options.interceptors, 'create', (input) => this.createInner(input));
    await next({ options: { ...options, action }, headers: {} });
    return this.getHandle(scheduleId);
  }

  /** Lists schedules. */
  async *list(options: ListScheduleOptions = {}): AsyncIterable<ScheduleSummary> {
    let nextPageToken: Uint8Array | undefined;
    do {
      const { namespace } = this;
      const request = { namespace, query: options.query, maximumPageSize: options.pageSize, nextPageToken };
      const response = await this.send('Failed to list schedules', undefined, () => this.workflowService.listSchedules(request));
      for (const raw of response.schedules) yield decodeSummary(this.ctx, raw);
      nextPageToken = response.nextPageToken;
    } while (nextPageToken && nextPageToken.length > 0);
  }

  /** A handle on an existing schedule; one that does not exist shows when the handle is used. */
  getHandle(scheduleId: string): ScheduleHandle {
    const patch = async (change: Patch) => {
      await this.send('Failed to patch schedule', scheduleId, () =>
        this.workflowService.patchSchedule({ ...this.call(scheduleId), requestId: randomUUID(), patch: change }),
      );
    };
    return {
      client: this,
      scheduleId,
      describe: () => this.describe(scheduleId),
      update: (updateFn) => this.update(scheduleId, updateFn as Parameters<ScheduleClient['update']>[1]),
      delete: async () => {
        await this.send('Failed to delete schedule', scheduleId, () => this.workflowService.deleteSchedule(this.call(scheduleId)));
      },
      trigger: (overlap = 'ALLOW_ALL') => patch({ triggerImmediately: { overlapPolicy: encodeScheduleOverlapPolicy(overlap) } }),
      backfill: (options) => patch({ backfillRequest: encodeBackfills(Array.isArray(options) ? options : [options]) }),
      pause: (note) => patch({ pause: note || 'Paused via TypeScript SDK' }),
      unpause: (note) => patch({ unpause: note || 'Unpaused via TypeScript SDK' }),
    };
  }

  private call(scheduleId: string) {
    return { namespace: this.namespace, identity: this.identity, scheduleId };
  }

  private async createInner({ options, headers }: CreateScheduleInput): Promise<CreateScheduleOutput> {
    const { scheduleId, memo, state } = options;
    const request = {
      ...this.call(scheduleId),
      requestId: randomUUID(),
      schedule: await encodeSchedule(this.ctx, options, headers),
      memo: memo ? { fields: await encodeMapToPayloads(this.dataConverter, memo) } : undefined,
      searchAttributes: encodeAttributes(options),
      initialPatch: {
        triggerImmediately: state?.triggerImmediately ? { overlapPolicy: encodeScheduleOverlapPolicy('ALLOW_ALL') } : undefined,
        backfillRequest: state?.backfill ? encodeBackfills(state.backfill) : undefined,
      },
    };
    const response = await this.send('Failed to create schedule', scheduleId, () => this.workflowService.createSchedule(request));
    return { conflictToken: response.conflictToken };
  }

  private async describe(scheduleId: string): Promise<ScheduleDescription> {
    const { namespace } = this;
    const raw = await this.send('Failed to describe schedule', scheduleId, () =>
      this.workflowService.describeSchedule({ namespace, scheduleId }),
    );
    return decodeDescription(this.ctx, scheduleId, raw);
  }

  private async update(scheduleId: string, updateFn: (previous: ScheduleDescription) => ScheduleUpdateOptions): Promise<void> {
    const previous = await this.describe(scheduleId);
    const options = updateFn(previous);
    const compiled = { ...options, action: compileAction(scheduleId, options.action) };
    const headers = previous.raw.schedule?.action?.startWorkflow?.header?.fields ?? {};
    const request = {
      ...this.call(scheduleId),
      requestId: randomUUID(),
      schedule: await encodeSchedule(this.ctx, compiled, headers),
      searchAttributes: encodeAttributes(options),
    };
    await this.send('Failed to update schedule', scheduleId, () => this.workflowService.updateSchedule(request));
  }

  private async send<R>(fallbackMessage: string, scheduleId: string | undefined, call: () => Promise<R>): Promise<R> {
    try {
      return await call();
    } catch (err) {
      if (!isGrpcServiceError(err)) throw new ServiceError('Unexpected error while making gRPC request', { cause: err });
      rethrowKnownErrorTypes(err);
      if (err.code === status.ALREADY_EXISTS) throw new ScheduleAlreadyRunning('Schedule already exists and is running', scheduleId ?? '');
      if (err.code === status.NOT_FOUND) throw new ScheduleNotFoundError(err.details || 'Schedule not found', scheduleId ?? '');
      throw new ServiceError(`${fallbackMessage}: ${err.details}`, { cause: err });
    }
  }
}
