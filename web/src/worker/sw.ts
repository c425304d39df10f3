// The service worker: keeps the shell, so that the page opens without a network.
//
// It never touches /api and /ws, and keeps no message: those are the client's own store.
import { route } from './route';

/** Replaced by the build with the files of the shell. */
declare const __SHELL__: string[];

/** As much of the worker's global scope as is used here. */
interface Worker {
  location: Location;
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void;
  addEventListener(type: 'fetch', listener: (event: Fetching) => void): void;
}
interface Lasting {
  waitUntil(done: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}

const worker = globalThis as unknown as Worker;
const shell = __SHELL__;
const name = 'shell';
/** How long a page that could open at once waits for a newer one. */
const patienceMs = 3_000;

/** Keeps what is new of the shell. Hashed files that are there already are not fetched again. */
async function fill(): Promise<void> {
  const cache = await caches.open(name);
  for (const path of shell) {
    if (path.startsWith('/assets/') && (await cache.match(path))) continue;
    await cache.add(new Request(path, { cache: 'no-cache' }));
  }
}

/** Forgets files of earlier builds. */
async function sweep(): Promise<void> {
  const cache = await caches.open(name);
  for (const request of await cache.keys()) {
    if (!shell.includes(new URL(request.url).pathname)) await cache.delete(request);
  }
}

/**
 * The network's answer, kept under `path`. The one kept before, if the network says nothing
 * in time, or something else than the file: a proxy whose server is away says 502.
 */
async function networkFirst(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(name);
  const kept = await cache.match(path);
  const signal = kept ? AbortSignal.timeout(patienceMs) : null;
  try {
    const answer = await fetch(request.url, { signal, credentials: 'same-origin' });
    if (!answer.ok) return kept ?? answer;
    await cache.put(path, answer.clone());
    return answer;
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** The kept file, or the network's. */
async function keptFirst(request: Request): Promise<Response> {
  const cache = await caches.open(name);
  const kept = await cache.match(request.url);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request.url, answer.clone());
  return answer;
}

worker.addEventListener('install', (event) => {
  event.waitUntil(fill().then(() => worker.skipWaiting()));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(sweep().then(() => worker.clients.claim()));
});

worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const path = new URL(request.url).pathname;
  switch (route(request, worker.location.origin)) {
    case 'page':
      return event.respondWith(networkFirst(request, '/'));
    case 'fresh':
      return event.respondWith(networkFirst(request, path));
    case 'kept':
      return event.respondWith(keptFirst(request));
    case 'pass':
  }
});
