/** The user's converters, as the bundle has them. */
import type { FailureConverter } from '../payload/failure-converter.js';
import type { PayloadConverter } from '../payload/payload-converter.js';
import { type LibraryExports, WorkflowBundleError } from './bundler.js';

export interface Converters {
  payloadConverter?: PayloadConverter;
  failureConverter?: FailureConverter;
}

/** Throws when a module that was given for a converter does not export one. */
export function convertersOf({ payloadConverter, failureConverter }: LibraryExports): Converters {
  return {
    payloadConverter: converter<PayloadConverter>(payloadConverter, 'payloadConverter', ['toPayload', 'fromPayload']),
    failureConverter: converter<FailureConverter>(failureConverter, 'failureConverter', ['errorToFailure', 'failureToError']),
  };
}

function converter<T>(module: Record<string, unknown> | undefined, name: string, methods: readonly string[]): T | undefined {
  if (module === undefined) return undefined;
  const found = module[name] ?? (module.default as Record<string, unknown> | undefined)?.[name];
  const value = found as Record<string, unknown> | undefined;
  const missing = methods.filter((method) => typeof value?.[method] !== 'function');
  if (missing.length === 0) return value as T;
  throw new WorkflowBundleError(
    value === undefined
      ? `The module of ${name}Path has no export '${name}': it exports ${Object.keys(module).join(', ') || 'nothing'}`
      : `The export '${name}' of the module of ${name}Path lacks the method ${missing.join(', ')}`,
  );
}
