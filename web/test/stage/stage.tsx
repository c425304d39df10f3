// Shows the page's screens with made-up data: `?waiting=pending&line=reconnecting`, `?door=setup`.
import { render } from 'preact';

import { Accounts, Refused } from '../../src/app/account';
import { App } from '../../src/app/app';
import { browserKeeper, Device } from '../../src/app/device';
import { Session } from '../../src/app/session';
import { placeOf } from '../../src/chat';
import '../../src/styles/index.css';
import { FakeChat } from '../fake';
import { world } from './world';

const asked = new URLSearchParams(location.search);
const door = asked.get('door');
const fake = new FakeChat(world((asked.get('waiting') ?? 'none') as 'none' | 'pending' | 'failed'));

class StageAccounts extends Accounts {
  override async server() {
    const registration = (asked.get('registration') ?? 'open') as 'open' | 'invite' | 'closed';
    return { name: 'Saltmarsh', version: '0.1.0', registration };
  }
  override async refresh(): Promise<never> {
    throw new Refused('bad_token');
  }
  override async login(): Promise<never> {
    throw new Refused('bad_credentials');
  }
}

const device = new Device(browserKeeper());
device.user = door ? undefined : { id: fake.user.id, name: fake.user.name };
const session = new Session(
  new StageAccounts(),
  device,
  async (me) => placeOf(fake.chat, { me, keeps: true, onSignedOut: () => undefined, erase: async () => undefined }),
  door === 'setup' ? { setup: 'x' } : door === 'invite' ? { invite: 'x' } : {},
);
Object.assign(globalThis, { fake });
render(<App session={session} />, document.body);
await session.start();

switch (asked.get('line')) {
  case 'connecting':
    fake.go({ state: 'connecting', reason: 'start', attempt: 0 });
    break;
  case 'reconnecting':
    fake.go({ state: 'reconnecting', reason: 'closed', attempt: 3, retryInMs: 8_000 });
    break;
  case 'failed':
    fake.go({ state: 'failed', reason: 'closed', attempt: 5 });
}
