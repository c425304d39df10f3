import { expect, test } from 'vitest';

import { route } from '../src/worker/route';

const origin = 'https://chat.example';

function check(path: string, expected: string, part: { method?: string; mode?: string } = {}) {
  const url = path.startsWith('/') ? origin + path : path;
  expect(route({ method: 'GET', mode: 'no-cors', url, ...part }, origin), path).toBe(expected);
}

test('the server’s answers are never touched', () => {
  check('/api/refresh', 'pass', { method: 'POST' });
  check('/api/server', 'pass');
  check('/api/export', 'pass', { mode: 'navigate' });
  check('/ws', 'pass');
});

test('the page is the network’s, files with a hash the kept ones', () => {
  check('/', 'page', { mode: 'navigate' });
  check('/anything', 'page', { mode: 'navigate' });
  check('/assets/index-Ab12.js', 'kept');
  check('/icon.svg', 'fresh');
  check('/manifest.webmanifest', 'fresh');
});

test('what only looks like the server’s is not', () => {
  check('/apiary', 'page', { mode: 'navigate' });
  check('https://other.example/assets/x.js', 'pass');
  check('/sw.js', 'pass');
});
