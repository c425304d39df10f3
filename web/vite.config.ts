// The build of the page: a script for the first picture, chunks for what comes later, one stylesheet, one worker.
//
// `npm run build` writes dist/. File names under assets/ carry a hash and never change their
// content; index.html, sw.js, manifest.webmanifest and icon.svg keep their names.
import { defineConfig } from 'vitest/config';

import { plainImports, policyInPage, shellInWorker } from './build/plugins.ts';

const server = process.env['CHINWAG_SERVER'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  // The SDK's sources, not its build: one pass over both.
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  plugins: [plainImports(), policyInPage(), shellInWorker()],
  build: {
    // The first browsers with light-dark(), popovers and container queries: nothing is rewritten for older ones.
    target: ['chrome123', 'firefox125', 'safari17.5'],
    manifest: true,
    // One stylesheet, and chunks that need nothing beside the first script: no helper that preloads.
    modulePreload: false,
    cssCodeSplit: false,
    // A data: URL would need a hole in the policy, and saves no request that matters.
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/worker/sw.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        chunkFileNames: 'assets/[name]-[hash].js',
        assetFileNames: 'assets/[name]-[hash][extname]',
      },
    },
  },
  server: {
    proxy: {
      '/api': server,
      '/ws': { target: server, ws: true },
    },
  },
  test: {
    environment: 'node',
    include: ['test/**/*.test.{ts,tsx}'],
  },
});
