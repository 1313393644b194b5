// Packages as npm would publish them, unpacked where a project could have installed them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const WORKSPACES = ['worker-sdk', 'server', 'cli', 'eslint-plugin'] as const;
export type Workspace = (typeof WORKSPACES)[number];

export interface Packed {
  name: string;
  /** Where it is unpacked. */
  folder: string;
  files: string[];
  manifest: { version: string; license: string; dependencies?: Record<string, string>; peerDependencies?: Record<string, string>; typesVersions?: Record<'*', Record<string, unknown>>; exports?: Record<string, unknown>; bin?: Record<string, string> };
  tarball: string;
}

const manifestOf = (folder: string) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Packed['manifest'] & { name: string };

/** A project that has one package installed, and what that one depends on. */
export function installPacked(workspace: Workspace): { project: string; packed: Packed } {
  const project = mkdtempSync(join(tmpdir(), 'perdure-consumer-'));
  const said = execFileSync('npm', ['pack', '--silent', '--pack-destination', project], { cwd: join(root, workspace), encoding: 'utf8' });
  const tarball = join(project, said.trim().split('\n').at(-1)!);
  const { name } = manifestOf(join(root, workspace));
  const folder = join(project, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  execFileSync('tar', ['xzf', tarball, '-C', folder, '--strip-components=1']);
  const manifest = manifestOf(folder);
  for (const dependency of [...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }), '@types/node', '@types/estree']) link(dependency, join(root, workspace), project);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return { project, packed: { name, folder, manifest, tarball, files: files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)).sort() } };
}

/** The very packages that the workspace uses; what they depend on in turn is found beside them. */
function link(dependency: string, workspace: string, project: string): void {
  const found = createRequire(join(workspace, 'package.json')).resolve.paths(dependency)?.map((folder) => join(folder, dependency)).find(exists);
  if (found === undefined) throw new Error(`${dependency} is not installed`);
  const to = join(project, 'node_modules', dependency);
  mkdirSync(dirname(to), { recursive: true });
  symlinkSync(found, to);
}

function exists(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return false;
  }
}
