/** The one way in. */

import { Core } from './chat.js';
import type { Clock, OpenSocket, Page, Random } from './env.js';
import { ChatError } from './errors.js';
import type { Store } from './store.js';
import type { Chat, StateDetail } from './types.js';

/** What `connect` needs and may be given. */
export interface ConnectOptions {
  /**
   * Fetches an access token; called for the first connection and whenever one has ended. Throw a `ChatError` with
   * code `signed_out` when there is nobody to fetch one for; anything else thrown counts as trouble that passes.
   */
  token: () => Promise<string>;
  /** Where things are kept; memory, if left out. See `@chinwag/client/store`. */
  store?: Store;
  socket?: OpenSocket;
  clock?: Clock;
  random?: Random;
  page?: Page;
}

/**
 * A chat that is ready to be used: at once if this device has been here before, offline too; otherwise after the
 * first try, successful or not. Rejects only when the server, or the token function, refuses.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Chat> {
  const chat = new Core(url, options);
  const settled = new Promise<StateDetail>((resolve) => {
    chat.on('state', (_state, detail: StateDetail) => {
      if (detail.state !== 'connecting') resolve(detail);
    });
  });
  await chat.begin();
  if (chat.user) return chat;
  const { reason, closeCode } = await settled;
  if (reason === 'signed_out' || reason === 'refused') {
    await chat.disconnect();
    throw new ChatError(reason, closeCode ? `closed with ${closeCode}` : undefined);
  }
  return chat;
}
