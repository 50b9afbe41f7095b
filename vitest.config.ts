import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** These do little but wait: they run beside the other end-to-end tests. */
const WAITING = ['test/e2e/idle.test.ts', 'test/e2e/watch.test.ts', 'test/e2e/conformance/cronjobs.test.ts'];
const e2e = { environment: 'node', testTimeout: 120_000, hookTimeout: 240_000 } as const;

/** Any 32 bytes: tests have no secrets. */
const ENCRYPTION_KEYS = Buffer.alloc(32, 1).toString('base64');

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node' } },
      {
        // Controllers would act on what the tests put into stores.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { CONTROLLERS: 'off', ENCRYPTION_KEYS } },
          }),
        ],
        test: { name: 'worker', include: ['test/worker/**/*.test.ts'] },
      },
      {
        test: {
          ...e2e,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: WAITING,
          fileParallelism: false,
        },
      },
      { test: { ...e2e, name: 'e2e-waiting', include: WAITING } },
    ],
  },
});
