// The page: joins account, device, SDK and screens.
import { ChatError, connect, memoryStore } from '@chinwag/client';
import { idbStore } from '@chinwag/client/store';
import { effect } from '@preact/signals';
import { render } from 'preact';

import { Accounts, Refused } from './app/account';
import { App } from './app/app';
import { browserKeeper, Device } from './app/device';
import { loadSheet } from './app/shell';
import { readInvitation, Session, type OpenPlace } from './app/session';
import { placeOf } from './chat';
import './styles/index.css';
import { registerWorker } from './worker/register';

const invitation = readInvitation(location.hash);
// A secret does not stay in the address bar, nor in the history.
if (invitation.setup ?? invitation.invite) history.replaceState(null, '', location.pathname);

const openPlace: OpenPlace = async (me, session) => {
  const base = `chinwag-${me.id}`;
  const keeps = 'indexedDB' in globalThis;
  const store = keeps ? idbStore(base) : memoryStore();
  const url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`;
  const token = async () => {
    try {
      return await session.token(me);
    } catch (error) {
      // Only a clear no ends the session: all else is trouble that passes.
      const no = error instanceof Refused && ['bad_token', 'token_expired', 'bad_credentials', 'signed_out'].includes(error.code);
      throw no ? new ChatError('signed_out') : error;
    }
  };
  const chat = await connect(url, { token, store });
  return placeOf(chat, {
    me,
    keeps,
    token,
    onSignedOut: () => void session.signedOut(),
    erase: () => eraseBase(base),
  });
};

/** Deletes the database; another tab that still has it open lets go when it hears of the sign-out. */
function eraseBase(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}

const device = new Device(browserKeeper());
effect(() => {
  const theme = device.theme.value;
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
});
// Beside the store and the line, not behind them.
if (device.user) void loadSheet().catch(() => undefined);
const session = new Session(new Accounts(), device, openPlace, invitation);
render(<App session={session} />, document.body);
void session.start();
registerWorker();
