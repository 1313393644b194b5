// Imports of Node's modules, of activities, of packages that reach outside.
import { errors, testRule } from './rule-tester.js';

testRule('no-node-imports', {
  valid: [
    `import type { Readable } from 'node:stream';`,
    `import { type Readable } from 'stream';`,
    `export type { Stats } from 'node:fs';`,
    `import { AsyncLocalStorage } from 'node:async_hooks';`,
    `import assert from 'assert';`,
    `import { sleep } from '@perdure/sdk/workflow';`,
    `import type { Client } from '@perdure/sdk/client';`,
    `import events from './events.js';\nimport fs from './fs';`,
    { code: `import { EventEmitter } from 'node:events';`, options: [{ allow: ['events'] }] },
  ],
  invalid: [
    { code: `import { readFile } from 'node:fs/promises';\nawait readFile('x');`, errors: [{ messageId: 'node', data: { name: 'node:fs/promises' } }] },
    { code: `import fs from 'fs';\nfs.readFileSync('x');`, errors: errors('node') },
    { code: `import 'node:crypto';`, errors: errors('node') },
    { code: `export * from 'os';`, errors: errors('node') },
    { code: `export { join } from 'node:path';`, errors: errors('node') },
    { code: `const os = await import('node:os');`, errors: errors('node') },
    { code: `const os = require('os');`, errors: errors('node') },
    { code: `import os = require('os');\nos.cpus();`, errors: errors('node') },
    { code: `import { Context } from '@perdure/sdk/activity';\nContext.current();`, errors: errors('sdk') },
    { code: `import { Client } from '@temporalio/client';\nnew Client();`, errors: errors('sdk') },
    {
      code: `import { Readable } from 'node:stream';\nexport function f(stream: Readable): void {}`,
      output: `import type { Readable } from 'node:stream';\nexport function f(stream: Readable): void {}`,
      errors: errors('node'),
    },
  ],
  javascript: { valid: [`import { URL } from 'node:url';`], invalid: [{ code: `import fs from 'fs';`, errors: errors('node') }] },
});

testRule('no-activity-imports', {
  valid: [
    `import type * as activities from './activities.js';`,
    `import { type pay } from '../activities/pay';`,
    `import { sleep } from '@perdure/sdk/workflow';`,
    `import { act } from './reactivity.js';`,
    `import { active } from './inactive.js';`,
    { code: `import * as activities from './activities.js';\nactivities.pay();`, options: [{ modules: ['^@app/jobs'] }] },
  ],
  invalid: [
    {
      code: `import * as activities from './activities.js';\nconst { pay } = proxyActivities<typeof activities>({});`,
      output: `import type * as activities from './activities.js';\nconst { pay } = proxyActivities<typeof activities>({});`,
      errors: [{ messageId: 'activity', data: { name: './activities.js' } }],
    },
    { code: `import * as activities from './activities';\nawait activities.pay();`, errors: errors('activity') },
    { code: `import { pay } from '../activities/pay.js';\npay();`, errors: errors('activity') },
    { code: `import { pay } from './pay.activity';\npay();`, errors: errors('activity') },
    { code: `import { pay } from './pay-activities.js';\npay();`, errors: errors('activity') },
    { code: `import { pay } from '@app/activities';\npay();`, errors: errors('activity') },
    { code: `const { pay } = require('./activities');`, errors: errors('activity') },
    { code: `import { job } from '@app/jobs/x';\njob();`, options: [{ modules: ['^@app/jobs'] }], errors: errors('activity') },
    { code: `import all, { pay } from './activities';\ntype A = typeof pay; type B = typeof all;`, errors: errors('activity') },
  ],
  javascript: { valid: [], invalid: [{ code: `import * as activities from './activities.js';\nactivities.pay();`, errors: errors('activity') }] },
});

testRule('no-unsafe-packages', {
  valid: [
    `import type { AxiosInstance } from 'axios';`,
    `import { z } from 'zod';`,
    `import { uuid4 } from '@perdure/sdk/workflow';`,
    `import { v4 } from './uuid.js';`,
    { code: `import { v5 } from 'uuid';\nv5('a', 'b');`, options: [{ allow: ['uuid'] }] },
    { code: `import { S3 } from '@aws-sdk/client-s3';\nnew S3();`, options: [{ allow: ['@aws-sdk/client-s3'] }] },
  ],
  invalid: [
    { code: `import { v4 } from 'uuid';\nv4();`, errors: errors('random') },
    { code: `import { nanoid } from 'nanoid/non-secure';\nnanoid();`, errors: errors('random') },
    { code: `import axios from 'axios';\naxios.get('x');`, errors: errors('outside') },
    { code: `import { S3 } from '@aws-sdk/client-s3';\nnew S3();`, errors: errors('outside') },
    { code: `import pino from 'pino';\npino();`, errors: errors('logger') },
    { code: `import { db } from '@my-db/client';\ndb();`, options: [{ packages: ['@my-db'] }], errors: errors('outside') },
    { code: `import { Pool } from 'pg';\nexport type P = Pool;`, output: `import type { Pool } from 'pg';\nexport type P = Pool;`, errors: errors('outside') },
  ],
});
