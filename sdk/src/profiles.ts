/** Names of people: known ones, and those to be fetched because an event shows a newer version. */

import type { Request } from './calls.js';
import type { Clock } from './env.js';
import { gather } from './gather.js';
import type { Profile } from './wire.js';

/** Asked for at once at most. */
export const BATCH = 200;
/** So long, askings gather into one. */
export const GATHER_MS = 20;

export interface ProfilesCore {
  /** Asks and takes in the answer. */
  ask(frame: Request): Promise<unknown>;
  clock: Clock;
  learnt(profiles: Profile[]): void;
}

export class Profiles {
  /** Replaced, never changed, so that who holds it sees a difference. */
  all: ReadonlyMap<string, Profile> = new Map();
  readonly #want: (id: string) => void;
  /** The version last asked for: who does not exist is not asked for for ever. */
  readonly #asked = new Map<string, number>();

  constructor(private readonly core: ProfilesCore) {
    this.#want = gather(core, GATHER_MS, BATCH, (users) => this.#fetch(users));
  }

  add(profiles: Iterable<Profile>): void {
    const fresh = [...profiles].filter(({ id, version }) => version > (this.all.get(id)?.version ?? -1));
    if (!fresh.length) return;
    this.all = new Map([...this.all, ...fresh.map((one) => [one.id, one] as const)]);
    this.core.learnt(fresh);
  }

  /** Version 0 is "any". */
  get(id: string, version = 0): Profile | undefined {
    const known = this.all.get(id);
    if ((known?.version ?? -1) < version && (this.#asked.get(id) ?? -1) < version) {
      this.#asked.set(id, version);
      this.#want(id);
    }
    return known;
  }

  #fetch(users: string[]): void {
    // Asked again when they are looked at the next time.
    this.core.ask({ type: 'profiles', users }).catch(() => users.forEach((user) => this.#asked.delete(user)));
  }
}
