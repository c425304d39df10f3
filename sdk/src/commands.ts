/** What a page asks of the server and waits for. The answers change rooms by the events that they cause. */

import type { Calls, Request } from './calls.js';
import type { RoomLog } from './log.js';
import type { Profiles } from './profiles.js';
import type { DirectoryRow, Profile, Role } from './wire.js';

type Keyless<T> = T extends { key: string } ? Omit<T, 'key'> : never;
/** A command before it has its key. */
export type Command = Keyless<Exclude<Request, { type: 'send' | 'after' }>>;

export abstract class Commands {
  abstract readonly calls: Calls;
  abstract readonly people: Profiles;
  abstract newKey(): string;
  abstract log(room: string): RoomLog | undefined;
  abstract want(room: string): void;

  create(kind: 'group' | 'public', name: string): Promise<string> {
    return this.command({ type: 'create', kind, name: name.toWellFormed() });
  }

  direct(user: string): Promise<string> {
    return this.command({ type: 'direct', user });
  }

  async find(name: string): Promise<Profile | undefined> {
    const { users } = await this.calls.call<'profiles'>({ type: 'profiles', name: name.toWellFormed() });
    this.people.add(users);
    return users[0];
  }

  async directory(): Promise<DirectoryRow[]> {
    const all: DirectoryRow[] = [];
    for (;;) {
      const page = await this.calls.call<'directory'>({ type: 'directory', after: all.at(-1)?.room });
      all.push(...page.rooms);
      if (!page.more || !page.rooms.length) return all;
    }
  }

  async members(room: string): Promise<Array<{ user: string; role: Role }>> {
    const all: Array<{ user: string; role: Role }> = [];
    for (;;) {
      const page = await this.calls.call<'members'>({ type: 'members', room, after: all.at(-1)?.user });
      all.push(...page.members.map(([user, role]) => ({ user, role })));
      if (!page.more || !page.members.length) return all;
    }
  }

  profile(id: string): Profile | undefined {
    return this.people.get(id);
  }

  /** The key is made once: however often it is asked, it is done once. */
  async command(command: Command): Promise<string> {
    const { room } = await this.calls.call<'ack'>({ ...command, key: this.newKey() } as Request);
    if (!this.log(room)) this.want(room);
    return room;
  }
}
