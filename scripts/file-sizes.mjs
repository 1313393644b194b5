// House rule: a file that needs more than 500 lines holds more than one concept. Prints what is too long and fails.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './prepare.mjs';

const MOST = 500;
const CODE = /\.(ts|tsx|mjs|cjs|js|sql|proto|css|html)$/;

const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: ROOT, encoding: 'utf8' }).split('\n').filter((file) => CODE.test(file) && existsSync(join(ROOT, file)));
const lines = (file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
const sized = files.map((file) => ({ file, lines: lines(file) })).sort((a, b) => b.lines - a.lines);
const long = sized.filter((entry) => entry.lines > MOST);
for (const entry of long) console.error(`${entry.file}: ${entry.lines} lines, ${MOST} at most`);
console.log(`${sized.length} files, the longest ${sized[0]?.file} with ${sized[0]?.lines} lines, the median ${sized[sized.length >> 1]?.lines}`);
process.exit(long.length === 0 ? 0 : 1);
