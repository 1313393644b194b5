/** Packages whose purpose is what a workflow must not do: randomness of their own, network, databases. */
import type { Rule } from 'eslint';
import { moduleVisitors, toTypeImport } from '../syntax/imports.js';

const RANDOM = ['uuid', 'nanoid', 'ulid', 'ulidx', 'cuid', '@paralleldrive/cuid2', 'ksuid', 'short-uuid', 'crypto-random-string', 'random'];
const OUTSIDE = [
  'axios', 'node-fetch', 'cross-fetch', 'undici', 'got', 'ky', 'superagent', 'request', 'ws', 'socket.io-client', '@grpc/grpc-js', 'nodemailer',
  'pg', 'postgres', 'mysql', 'mysql2', 'mongodb', 'mongoose', 'redis', 'ioredis', 'knex', 'typeorm', 'sequelize', '@prisma/client', 'kafkajs', 'amqplib',
  'openai', '@anthropic-ai/sdk', '@google/genai', 'stripe', '@slack/web-api', '@octokit/rest', 'fs-extra', 'execa',
];
const OUTSIDE_SCOPES = ['@aws-sdk', '@azure', '@google-cloud', '@sentry'];
const LOGGERS = ['pino', 'winston', 'bunyan', 'log4js'];

type MessageId = 'random' | 'outside' | 'logger';

const KNOWN = new Map<string, MessageId>([
  ...RANDOM.map((name) => [name, 'random'] as const),
  ...[...OUTSIDE, ...OUTSIDE_SCOPES].map((name) => [name, 'outside'] as const),
  ...LOGGERS.map((name) => [name, 'logger'] as const),
]);

interface Options {
  /** More packages (or scopes, such as `@my-db`) that do I/O. */
  packages?: string[];
  /** Packages that are allowed all the same. */
  allow?: string[];
}

const LIST = { type: 'array', items: { type: 'string' } } as const;

export const noUnsafePackages: Rule.RuleModule = {
  meta: {
    type: 'problem',
    fixable: 'code',
    docs: { description: 'disallow packages that make random values of their own or do I/O in workflow code', recommended: true },
    schema: [{ type: 'object', properties: { packages: LIST, allow: LIST }, additionalProperties: false }],
    messages: {
      random: "'{{name}}' makes random values that may differ when the workflow is replayed. Use uuid4(), Math.random() or workflowRandom of '@perdure/sdk/workflow'.",
      outside: "'{{name}}' reaches outside of the workflow. Use it in an activity.",
      logger: "'{{name}}' writes again with each replay. Use log of '@perdure/sdk/workflow'.",
    },
  },
  create(context) {
    const { packages = [], allow = [] } = (context.options[0] ?? {}) as Options;
    const known = new Map([...KNOWN, ...packages.map((name) => [name, 'outside'] as const)]);
    for (const name of allow) known.delete(name);
    return moduleVisitors(({ node, specifier }) => {
      const [, name = '', scope] = /^((@[^/]+)\/[^/]+|[^/]+)/.exec(specifier) ?? [];
      if (allow.includes(name)) return;
      const messageId = known.get(name) ?? (scope === undefined ? undefined : known.get(scope));
      if (messageId) context.report({ node, messageId, data: { name: specifier }, fix: toTypeImport(node, context.sourceCode) ?? null });
    });
  },
};
