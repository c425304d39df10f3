// The words of lines that nobody wrote: who came, went, made the room. Pure.
import type { Coming, Entry, Founding, Message, Place, Renaming, Standing, Unreadable } from '../model';
import { t } from '../words';

/** A piece of such a line; names stand out. */
export interface Said {
  text: string;
  name?: boolean;
}

/** What happened, in words. */
export function noticeWords(entry: Exclude<Entry, Message>, place: Pick<Place, 'person' | 'me'>): Said[] {
  const called = (id: string): Said => ({
    text: id === place.me.id ? t.you : place.person(id).name || '…',
    name: true,
  });
  switch (entry.kind) {
    case 'room':
      return founded(entry, called);
    case 'member':
      return came(entry, called);
    case 'settings':
      return [called(entry.from), { text: renamed(entry) }];
    case 'role':
      return stands(entry, called);
    case 'unreadable':
      return unreadable(entry);
  }
}

function founded(entry: Founding, called: (id: string) => Said): Said[] {
  return [called(entry.from), { text: t.founded }];
}

function came(entry: Coming, called: (id: string) => Said): Said[] {
  const self = entry.from === entry.user;
  const verb = { joined: self ? t.came : t.added, invited: t.askedIn, left: t.left, removed: t.removedFrom, banned: t.bannedFrom, unbanned: t.unbanned }[entry.state];
  const alone = self || entry.state === 'left';
  return alone ? [called(entry.user), { text: verb }] : [called(entry.from), { text: verb }, called(entry.user)];
}

function renamed({ name, topic, avatar }: Renaming): string {
  const parts = [name !== undefined && t.renamed(name), topic !== undefined && t.retopiced(topic), avatar !== undefined && t.repictured(avatar !== null)];
  return parts.filter(Boolean).join(t.settingsJoin);
}

function stands(entry: Standing, called: (id: string) => Said): Said[] {
  if (entry.muted) return [called(entry.from), { text: t.tookVoice }, called(entry.user)];
  return [called(entry.from), { text: t.madeRole }, called(entry.user), { text: t.roleAs[entry.role] }];
}

function unreadable(_entry: Unreadable): Said[] {
  return [{ text: t.unreadable }];
}
