import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.jsonc' },
      miniflare: {
        // The newest date that the pool's own workerd knows; wrangler's, which deploys, is newer.
        compatibilityDate: '2026-08-15',
        bindings: {
          DEV_MODE: 'true',
          JWT_SECRET: 'a-secret-for-tests-of-at-least-32-bytes',
          STREAM_TTL_SECONDS: '60',
          STREAM_RETENTION_SECONDS: '600',
        },
      },
    }),
  ],
  test: { name: 'workerd', include: ['src/**/*.test.ts'], testTimeout: 15_000 },
});
