// Decides what the service worker does with a request. Pure: no cache, no network.
//
// The page has to open offline, and must never be older than the server when there is one.

/** What is done with a request. */
export type Route =
  /** Left to the browser: the server's answers are never kept here. */
  | 'pass'
  /** The page itself: the network's, or the kept one when there is no network. */
  | 'page'
  /** A file whose name changes with its content: the kept one, if there is one. */
  | 'kept'
  /** A file that keeps its name: the network's, or the kept one. */
  | 'fresh';

/** The parts of a request that matter. */
export interface Asked {
  method: string;
  url: string;
  mode: string;
}

/** Chooses the route of a request made by a page of `origin`. */
export function route(asked: Asked, origin: string): Route {
  const url = new URL(asked.url);
  if (asked.method !== 'GET' || url.origin !== origin) return 'pass';
  if (/^\/(api|ws)(\/|$)/.test(url.pathname)) return 'pass';
  if (asked.mode === 'navigate') return 'page';
  if (url.pathname.startsWith('/assets/')) return 'kept';
  if (url.pathname === '/icon.svg' || url.pathname === '/manifest.webmanifest') return 'fresh';
  return 'pass';
}
