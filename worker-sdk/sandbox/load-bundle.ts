/** Bundles as files: code and source map in one, made ahead of time or just now. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { WorkflowBundleOption } from '../replay/workflow-host.js';
import { type IndexMap, type WorkflowBundle, WorkflowBundleError } from './bundler.js';

/** A bundle ready to be evaluated. */
export interface LoadedBundle {
  code: string;
  sourceMap: IndexMap | (() => IndexMap | undefined);
}

const MAP_COMMENT = '//# sourceMappingURL=data:application/json;base64,';

/** The bundle as one text, with its source map at the end. */
export function bundleToText({ code, sourceMap }: Pick<WorkflowBundle, 'code' | 'sourceMap'>): string {
  return `${code}\n${MAP_COMMENT}${Buffer.from(JSON.stringify(sourceMap)).toString('base64')}\n`;
}

/** Reads a bundle that was made ahead of time. */
export async function loadBundle(option: WorkflowBundleOption): Promise<LoadedBundle> {
  if ('code' in option) return splitText(option.code);
  const path = option.codePath.startsWith('file:') ? fileURLToPath(option.codePath) : option.codePath;
  return splitText(
    await readFile(path, 'utf8').catch((error: Error) => {
      throw new WorkflowBundleError(`workflowBundle.codePath: expected a bundle in ${path}, got: ${error.message}`, { cause: error });
    }),
  );
}

/** The source map is decoded when somebody asks for a place. */
export function splitText(text: string): LoadedBundle {
  const at = text.lastIndexOf(MAP_COMMENT);
  if (at < 0) return { code: text, sourceMap: () => undefined };
  const encoded = text.slice(at + MAP_COMMENT.length).trim();
  return { code: text.slice(0, at), sourceMap: () => JSON.parse(Buffer.from(encoded, 'base64').toString('utf8')) as IndexMap };
}
