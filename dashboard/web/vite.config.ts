import { fileURLToPath } from 'node:url';
import vue from '@vitejs/plugin-vue';
import { defineConfig } from 'vitest/config';
import { workerShell } from './scripts/worker-shell.ts';

const api = process.env.GRIDWARDEN_API ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [vue(), workerShell('src/pages/worker/WorkerPage.vue')],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: {
    __VUE_OPTIONS_API__: 'false',
    __VUE_PROD_DEVTOOLS__: 'false',
    __INTLIFY_PROD_DEVTOOLS__: 'false',
    __VUE_I18N_LEGACY_API__: 'false',
    __VUE_I18N_FULL_INSTALL__: 'false',
  },
  build: {
    // In-app browsers on workers' phones are Chromium, a few years old.
    target: ['chrome100', 'safari15.4'],
    // Nothing inlined as data: URLs, so that the content policy can stay strict.
    assetsInlineLimit: 0,
    // MapLibre and ECharts are large by nature; both are loaded only by the pages that draw with them.
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: 'es' },
  server: { proxy: { '/api': { target: api, changeOrigin: false } } },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
