// Build, dev server and tests. `VENDLOG_URL` names the server that `npm run dev` passes API calls to.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';

const server = process.env['VENDLOG_URL'] ?? 'https://127.0.0.1:4433';
// The server's certificate is its own (a browser asks once, the agent pins it); so no check here.
const proxied = { target: server, secure: false, changeOrigin: false };

export default defineConfig({
  plugins: [svelte(), svelteTesting()],
  build: {
    target: 'es2022',
    // The content security policy allows files of our own only: nothing inline, no data: addresses.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': proxied, '/signin': proxied } },
  test: {
    environment: 'jsdom',
    include: ['tests/**/*.test.ts'],
    setupFiles: ['tests/setup.ts'],
  },
});
