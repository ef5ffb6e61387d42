import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.jsonc' },
      miniflare: {
        bindings: {
          DEV_MODE: 'true',
          JWT_SECRET: 'a-secret-for-tests-of-at-least-32-bytes',
          STREAM_TTL_SECONDS: '60',
          STREAM_RETENTION_SECONDS: '600',
        },
      },
    }),
  ],
  test: {
    name: 'workerd',
    include: ['src/**/*.test.ts'],
    // A workerd for each file would cost more than the tests in it; each test has objects of its own.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // The second that is vitest's own is little on a busy machine.
    expect: { poll: { timeout: 15_000 } },
  },
});
