// What a start runs: the engine in one piece only while it is what the compiled files say.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inOnePiece, type JoinedFiles } from '../../server/bundle.js';

let dist: string;

/** As scripts/bundle.mjs notes it. */
const note = (): void => {
  const files: JoinedFiles = Object.fromEntries(['main.js', 'engine/run.js'].map((path) => [path, [statSync(join(dist, path)).size, statSync(join(dist, path)).mtimeMs] as const]));
  mkdirSync(join(dist, 'bundle'), { recursive: true });
  writeFileSync(join(dist, 'bundle', 'files.json'), JSON.stringify(files));
};

const starts = (): string => inOnePiece('main.js', pathToFileURL(`${dist}/`)).pathname.slice(dist.length + 1);

const touch = (path: string): void => utimesSync(join(dist, path), new Date(), new Date(Date.now() + 1_000));

beforeEach(() => {
  dist = mkdtempSync(join(tmpdir(), 'perdure-dist-'));
  mkdirSync(join(dist, 'engine'));
  for (const path of ['main.js', 'engine/run.js']) writeFileSync(join(dist, path), 'export {};\n');
});

afterEach(() => rmSync(dist, { recursive: true }));

describe('in a checkout', () => {
  beforeEach(() => {
    writeFileSync(join(dist, 'tsconfig.tsbuildinfo'), '{}');
    note();
  });

  it('runs the piece while its files are as they were', () => {
    expect(starts()).toBe('bundle/main.js');
  });

  it('runs the files where nobody joined them', () => {
    rmSync(join(dist, 'bundle'), { recursive: true });
    expect(starts()).toBe('main.js');
  });

  it('runs the files once one of them was compiled again, to the same size', () => {
    touch('engine/run.js');
    expect(starts()).toBe('main.js');
    note();
    expect(starts()).toBe('bundle/main.js');
  });

  it('runs the files once one of them was changed by hand, and its time set back', () => {
    const path = join(dist, 'engine/run.js');
    const { atime, mtime } = statSync(path);
    appendFileSync(path, '// a word\n');
    utimesSync(path, atime, mtime);
    expect(starts()).toBe('main.js');
  });

  it('runs the files once one of them is gone', () => {
    rmSync(join(dist, 'engine/run.js'));
    expect(starts()).toBe('main.js');
  });
});

describe('where nobody compiles', () => {
  beforeEach(note);

  it('runs the piece although installing changed all times', () => {
    touch('main.js');
    touch('engine/run.js');
    expect(starts()).toBe('bundle/main.js');
  });

  it('runs the files once one of them has another size', () => {
    appendFileSync(join(dist, 'main.js'), '// a word\n');
    expect(starts()).toBe('main.js');
  });
});

it('is asked for by the names that the script joins', () => {
  const script = readFileSync(new URL('../../scripts/bundle.mjs', import.meta.url), 'utf8');
  expect(script).toContain("const ENTRIES = ['main.js', 'group-member.js'];");
});
