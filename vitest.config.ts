import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

const e2e = { environment: 'node', testTimeout: 120_000, hookTimeout: 240_000 } as const;

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], environment: 'node' } },
      {
        // Controllers would act on what the tests put into stores.
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            miniflare: { bindings: { CONTROLLERS: 'off' } },
          }),
        ],
        test: { name: 'worker', include: ['test/worker/**/*.test.ts'] },
      },
      {
        test: {
          ...e2e,
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/idle.test.ts'],
          fileParallelism: false,
        },
      },
      { test: { ...e2e, name: 'idle', include: ['test/e2e/idle.test.ts'] } },
    ],
  },
});
