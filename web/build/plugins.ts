// The two things that this build adds to Vite's: the policy in the page, the list in the worker.
import type { Plugin } from 'vite';

import { policy } from './policy.ts';

/** Puts the policy into index.html. Only in a build: the development server injects styles. */
export function policyInPage(): Plugin {
  return {
    name: 'chinwag-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: policy },
        injectTo: 'head-prepend',
      },
    ],
  };
}

/** Files that keep their names and belong to the shell. */
const named = ['/', '/icon.svg', '/manifest.webmanifest'];

/** Tells the worker which files make up the shell, so that a new build is a new worker. */
export function shellInWorker(): Plugin {
  return {
    name: 'chinwag-shell',
    apply: 'build',
    generateBundle: {
      // Behind Vite's own step, which adds the stylesheet.
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle['sw.js'];
        if (worker?.type !== 'chunk') return;
        const hashed = Object.keys(bundle)
          .filter((file) => file.startsWith('assets/'))
          .map((file) => `/${file}`)
          .sort();
        if (!hashed.some((file) => file.endsWith('.css'))) this.error('the shell has no stylesheet');
        worker.code = worker.code.replace('__SHELL__', JSON.stringify([...named, ...hashed]));
      },
    },
  };
}

/** Vite's helper preloads what a chunk needs; ours need nothing, so that it only calls. */
export function plainImports(): Plugin {
  return {
    name: 'chinwag-plain-imports',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      return id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load();' : null;
    },
  };
}
