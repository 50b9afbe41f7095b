import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** These do little but wait: they run beside the other end-to-end tests. */
const WAITING = ['test/e2e/idle.test.ts', 'test/e2e/watch.test.ts', 'test/e2e/conformance/cronjobs.test.ts'];
/** A machine that is busy takes several times as long as an idle one: only what hangs is to be ended by a limit. */
const patience = (testTimeout: number, hookTimeout: number, poll: number) => ({
  testTimeout,
  hookTimeout,
  expect: { poll: { timeout: poll } },
});
const inProcess = patience(60_000, 60_000, 30_000);
/** A hook starts a control plane, and may have to wait for the turn of its node before. */
const e2e = { ...patience(300_000, 600_000, 60_000), environment: 'node' } as const;

/** Any 32 bytes: tests have no secrets. */
const ENCRYPTION_KEYS = Buffer.alloc(32, 1).toString('base64');

export default defineConfig({
  test: {
    projects: [
      { test: { ...inProcess, name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node' } },
      {
        // Controllers would act on what the tests put into stores.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { CONTROLLERS: 'off', ENCRYPTION_KEYS } },
          }),
        ],
        test: { ...inProcess, name: 'worker', include: ['test/worker/**/*.test.ts'] },
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
