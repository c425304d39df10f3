// The life of the page: nobody here, somebody here, and the ways between.
//
// Somebody who was here before is let in at once, from what the device keeps; the server is
// asked behind it. Only a server that says no leads to the door.
import { signal } from '@preact/signals';

import { Drafts } from '../composer/drafts';
import type { Person, Place } from '../model';
import { t } from '../words';
import { Refused, type Accounts, type ServerInfo, type User } from './account';
import type { Device } from './device';

/** Where the page stands. */
export type Stage =
  | { at: 'starting' }
  | { at: 'door'; signedOut: boolean }
  | { at: 'place'; place: Place; drafts: Drafts };

/** What a link to the page may carry behind the `#`. */
export interface Invitation {
  setup?: string;
  invite?: string;
}

/** Opens the place of somebody; the device's store and the line are its business. */
export type OpenPlace = (me: Person, session: Session) => Promise<Place>;

export class Session {
  readonly stage = signal<Stage>({ at: 'starting' });
  readonly server = signal<ServerInfo | undefined>(undefined);
  readonly placeName;
  readonly invitation: Invitation;
  readonly accounts: Accounts;
  readonly device: Device;
  readonly #openPlace: OpenPlace;
  /** The account is being deleted; `ended`: the line was closed for it already. */
  #going: { ended: boolean } | undefined;

  constructor(accounts: Accounts, device: Device, openPlace: OpenPlace, invitation: Invitation) {
    this.accounts = accounts;
    this.device = device;
    this.#openPlace = openPlace;
    this.invitation = invitation;
    this.placeName = signal(device.place ?? t.product);
  }

  async start(): Promise<void> {
    void this.learnServer();
    this.device.onOtherUser(() => location.reload());
    // A link for the first administrator means a new server, whoever was here before.
    if (this.invitation.setup) return this.#toDoor(false);
    const known = this.device.user;
    if (known) return this.#enter(known);
    try {
      await this.enter(await this.accounts.refresh());
    } catch {
      // No session, or nobody to ask: the door says which when it is tried.
      this.#toDoor(false);
    }
  }

  /** Asks the server what it is; the door needs it, the shell only its name. */
  async learnServer(): Promise<void> {
    try {
      const server = await this.accounts.server();
      this.server.value = server;
      this.placeName.value = server.name || t.product;
      this.device.place = server.name;
    } catch {
      // Away: the name of the last visit stands there until the line is up.
    }
  }

  /** Somebody has just shown who they are. */
  async enter(user: User): Promise<void> {
    this.device.user = user;
    await this.#enter(user);
  }

  async #enter(me: Person): Promise<void> {
    const place = await this.#openPlace(me, this);
    const drafts = new Drafts(this.device.keeper, me.id);
    this.stage.value = { at: 'place', place, drafts };
  }

  /** A token for the socket of `me`. Throws `Refused`; `signed_out` when there is no session. */
  async token(me: Person): Promise<string> {
    const { token, user } = await this.accounts.token(Date.now());
    if (user && user.id !== me.id) {
      // The cookie is somebody else's: another tab signed in anew. Follow it.
      this.device.user = user;
      location.reload();
      throw new Refused('signed_out');
    }
    if (this.server.peek() === undefined) void this.learnServer();
    return token;
  }

  /** The server ended the session. Data and drafts stay for the next sign-in. */
  async signedOut(): Promise<void> {
    const stage = this.stage.peek();
    if (stage.at !== 'place') return;
    if (this.#going) {
      // The line may say so before the answer does.
      this.#going.ended = true;
      return;
    }
    this.device.user = undefined;
    this.#toDoor(true);
    await stage.place.close(false);
  }

  /** Signs out and leaves nothing on the device. Throws `Refused` if the server is away. */
  async signOut(): Promise<void> {
    const stage = this.stage.peek();
    if (stage.at !== 'place') return;
    await this.accounts.logout();
    await this.#leaveNothing(stage);
  }

  /** Deletes the account for good, as `ask` asks for it, and leaves nothing on the device. Throws what it throws. */
  async erase(ask: (token: string) => Promise<void>): Promise<void> {
    const stage = this.stage.peek();
    if (stage.at !== 'place') return;
    const going = { ended: false };
    this.#going = going;
    try {
      await ask(await this.token(stage.place.me));
    } catch (error) {
      this.#going = undefined;
      if (going.ended) await this.signedOut();
      throw error;
    }
    this.#going = undefined;
    await this.#leaveNothing(stage);
  }

  async #leaveNothing({ place, drafts }: { place: Place; drafts: Drafts }): Promise<void> {
    this.device.user = undefined;
    drafts.erase();
    history.replaceState(null, '', location.pathname);
    this.#toDoor(false);
    await place.close(true);
  }

  #toDoor(signedOut: boolean): void {
    this.stage.value = { at: 'door', signedOut };
  }
}

/** Reads what the link carries, and what is left of the address without it. */
export function readInvitation(hash: string): Invitation {
  const match = /^#(setup|invite)=([^&]+)$/.exec(hash);
  if (!match) return {};
  const secret = decodeURIComponent(match[2] ?? '');
  return match[1] === 'setup' ? { setup: secret } : { invite: secret };
}
