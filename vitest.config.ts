import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/postgres-server.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // bundles are made, not found
    env: { PERDURE_BUNDLE_CACHE: 'off' },
    // a test that never ran is not a test that passed
    allowOnly: process.env['CI'] === undefined,
  },
});
