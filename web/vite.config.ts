import { defineConfig } from 'vite';

const root = decodeURIComponent(new URL('.', import.meta.url).pathname);

/**
 * Builds the first page and the API's reference into `web/dist`, which both hosts serve as it is. Nothing may be inlined:
 * the hosts send `default-src 'self'`, which refuses inline scripts, inline styles and `data:`.
 */
export default defineConfig({
  root,
  // Relative links, so that the page also works behind a proxy that mounts it below a path.
  base: './',
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    // Swagger UI comes as one file.
    chunkSizeWarningLimit: 2048,
    rollupOptions: { input: [`${root}index.html`, `${root}docs.html`] },
  },
});
