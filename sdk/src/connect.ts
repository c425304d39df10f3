import type { Clock, OpenSocket, Page, Random } from './env.js';
import type { Store } from './store.js';
import type { Chat } from './types.js';

/** What `connect` needs and may be given. */
export interface ConnectOptions {
  /**
   * Fetches an access token; called for each connection and whenever one expires. Throw a `ChatError`
   * with code `signed_out` when there is nobody to fetch one for; anything else thrown counts as trouble that passes.
   */
  token: () => Promise<string>;
  /** Where things are kept; memory, if left out. See `@chinwag/client/store`. */
  store?: Store;
  socket?: OpenSocket;
  clock?: Clock;
  random?: Random;
  page?: Page;
}

export declare function connect(url: string, options: ConnectOptions): Promise<Chat>;
