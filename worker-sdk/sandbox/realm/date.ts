/** Time that replays: Date, performance, Intl and Temporal show the workflow's clock, which stands still within an activation. */
import { define, state } from './state.js';

/** While libraries load there is no workflow, and the real time would differ from worker to worker. */
const LOAD_TIME_MS = 0;

function nowMs(): number {
  return state.hooks?.nowMs() ?? LOAD_TIME_MS;
}

export function installTime(): void {
  const RealDate = Date;
  function WorkflowDate(this: unknown, ...args: unknown[]): unknown {
    if (new.target === undefined) return new RealDate(nowMs()).toString();
    return Reflect.construct(RealDate, args.length === 0 ? [nowMs()] : args, new.target);
  }
  Object.defineProperties(WorkflowDate, {
    name: { value: 'Date', configurable: true },
    length: { value: 7, configurable: true },
    prototype: { value: RealDate.prototype, writable: false },
    now: { value: () => nowMs(), configurable: true, writable: true },
    parse: { value: RealDate.parse, configurable: true, writable: true },
    UTC: { value: RealDate.UTC, configurable: true, writable: true },
  });
  Object.defineProperty(RealDate.prototype, 'constructor', { value: WorkflowDate, configurable: true, writable: true });
  define('Date', WorkflowDate);
  define('performance', Object.freeze({ now: () => nowMs() - (state.hooks?.startMs() ?? 0), timeOrigin: LOAD_TIME_MS, toJSON: () => ({}) }));
  patchIntl();
  patchTemporal(RealDate);
}

/** `format()` without a date means now. */
function patchIntl(): void {
  const prototype = Intl.DateTimeFormat.prototype;
  const realFormat = Object.getOwnPropertyDescriptor(prototype, 'format')!.get!;
  Object.defineProperty(prototype, 'format', {
    configurable: true,
    get(this: Intl.DateTimeFormat) {
      const format = realFormat.call(this) as (date?: Date | number) => string;
      return (date?: Date | number) => format(date ?? nowMs());
    },
  });
  const { formatToParts } = prototype;
  prototype.formatToParts = function (date) {
    return formatToParts.call(this, date ?? nowMs());
  };
}

interface TemporalLike {
  Now: Record<string, unknown>;
  Instant: { fromEpochMilliseconds(ms: number): { toZonedDateTimeISO(zone: string): ZonedLike } };
}
interface ZonedLike {
  toPlainDateTime(): unknown;
  toPlainDate(): unknown;
  toPlainTime(): unknown;
}

/** `Temporal.Now`, where the runtime has it, shows the workflow's clock; the time zone is UTC unless one is named. */
function patchTemporal(_realDate: DateConstructor): void {
  const temporal = (globalThis as { Temporal?: TemporalLike }).Temporal;
  if (!temporal) return;
  const instant = () => temporal.Instant.fromEpochMilliseconds(nowMs());
  const zoned = (zone = 'UTC') => instant().toZonedDateTimeISO(zone);
  Object.assign(temporal.Now, {
    instant,
    timeZoneId: () => 'UTC',
    zonedDateTimeISO: zoned,
    plainDateTimeISO: (zone?: string) => zoned(zone).toPlainDateTime(),
    plainDateISO: (zone?: string) => zoned(zone).toPlainDate(),
    plainTimeISO: (zone?: string) => zoned(zone).toPlainTime(),
  });
}
