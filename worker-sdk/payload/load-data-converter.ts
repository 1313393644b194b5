/** Loads the files of a data converter. Apart from its types, because workflow code may import those. */
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { ValueError } from '../definitions/errors.js';
import type { DataConverter, LoadedDataConverter } from './data-converter.js';
import type { FailureConverter } from './failure-converter.js';
import { defaultFailureConverter } from './failure-converter.js';
import type { PayloadConverter } from './payload-converter.js';
import { defaultPayloadConverter } from './payload-converter.js';

const require = createRequire(import.meta.url);

/**
 * Loads the files of a data converter.
 * @throws {@link ValueError} when a file cannot be loaded or lacks the export.
 */
export function loadDataConverter(converter?: DataConverter): LoadedDataConverter {
  return {
    payloadConverter: converter?.payloadConverterPath
      ? loadExport<PayloadConverter>(converter.payloadConverterPath, 'payloadConverter', ['toPayload', 'fromPayload'])
      : defaultPayloadConverter,
    failureConverter: converter?.failureConverterPath
      ? loadExport<FailureConverter>(converter.failureConverterPath, 'failureConverter', ['errorToFailure', 'failureToError'])
      : defaultFailureConverter,
    payloadCodecs: converter?.payloadCodecs ?? [],
  };
}

function loadExport<T extends object>(file: string, name: string, methods: string[]): T {
  const where = file.startsWith('file:') ? fileURLToPath(file) : file;
  if (!path.isAbsolute(where)) throw new ValueError(`Invalid ${name}Path: expected an absolute path, got '${file}'`);
  let exports: Record<string, unknown>;
  try {
    exports = require(where);
  } catch (err) {
    throw new ValueError(`Could not load ${name}Path '${file}': ${(err as Error).message}`, err);
  }
  const value = (exports[name] ?? (exports.default as Record<string, unknown> | undefined)?.[name]) as Record<string, unknown> | undefined;
  const missing = value && methods.filter((method) => typeof value[method] !== 'function');
  if (!value) throw new ValueError(`Module '${file}' has no export '${name}'`);
  if (missing && missing.length > 0) throw new ValueError(`Export '${name}' of '${file}' lacks the method ${missing.join(', ')}`);
  return value as T;
}
