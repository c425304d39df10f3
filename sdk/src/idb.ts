/**
 * The store in IndexedDB: one database for all tabs of an account. What is written twice changes nothing, and what is
 * older than what is there is dropped, so tabs need no leader; a message that waits belongs to the tab that wrote it,
 * and is taken over when that tab's lock is free.
 */

import type { Line } from './fold.js';
import { mergeRecord } from './merge.js';
import type { RoomRecord } from './log.js';
import type { Changes, Meta, RoomChange, Snapshot, Store, Waiting } from './store.js';
import type { Profile } from './wire.js';

const VERSION = 1;
/** An open that takes longer is taken for one that never answers. */
export const OPEN_MS = 5_000;
/** Of each room the lines of so many newest seqs are kept; what is older is fetched again when wanted. */
export const KEPT = 1_000;

interface StoredLine {
  room: string;
  seq: number;
  line: Line;
}
/** `text`: of a message that was kept before there were other commands; it had no `frame`. */
type Owned = Omit<Waiting, 'frame'> & Partial<Pick<Waiting, 'frame'>> & { owner: string; text?: string };

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when a transaction is committed; rejects with what ended it. */
function committed(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}

function openDatabase(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, VERSION);
  request.onupgradeneeded = () => {
    const db = request.result;
    db.createObjectStore('meta');
    db.createObjectStore('rooms');
    db.createObjectStore('profiles', { keyPath: 'id' });
    db.createObjectStore('outbox', { keyPath: 'key' });
    db.createObjectStore('lines', { keyPath: ['room', 'seq'] });
  };
  return Promise.race([
    done(request),
    new Promise<never>((_resolve, reject) => {
      request.onblocked = () => reject(new Error('an older tab keeps the database from being upgraded'));
      setTimeout(() => reject(new Error('the database does not answer')), OPEN_MS);
    }),
  ]);
}

/** All lines of a room. */
const linesOf = (room: string, before = Infinity) => IDBKeyRange.bound([room, 0], [room, before], false, true);

class IdbStore implements Store {
  private opened: Promise<IDBDatabase> | undefined;
  /** Not `randomUUID`: that exists on secure origins only. */
  private readonly tab = crypto.getRandomValues(new Uint32Array(4)).join('-');
  private release: (() => void) | undefined;

  constructor(private readonly name: string) {
    // Held for the life of the tab: others see by it that this one lives.
    void globalThis.navigator?.locks?.request(
      this.lock(this.tab),
      () => new Promise<void>((resolve) => (this.release = resolve)),
    );
  }

  async load(): Promise<Snapshot> {
    const transaction = (await this.db()).transaction(['meta', 'rooms', 'profiles']);
    const rooms = transaction.objectStore('rooms');
    const [meta, keys, records, profiles] = await Promise.all([
      done<Meta | undefined>(transaction.objectStore('meta').get('meta')),
      done(rooms.getAllKeys()),
      done<RoomRecord[]>(rooms.getAll()),
      done<Profile[]>(transaction.objectStore('profiles').getAll()),
    ]);
    return {
      meta: meta ?? {},
      rooms: new Map(keys.map((room, at) => [room as string, records[at]!])),
      profiles: new Map(profiles.map((one) => [one.id, one])),
    };
  }

  async lines(room: string, before: number, limit: number): Promise<Line[]> {
    const store = (await this.db()).transaction('lines').objectStore('lines');
    const found: Line[] = [];
    const request = store.openCursor(linesOf(room, before), 'prev');
    return new Promise((resolve, reject) => {
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor || found.length === limit) return resolve(found.reverse());
        found.push((cursor.value as StoredLine).line);
        cursor.continue();
      };
    });
  }

  /** One transaction: events, cursors, rows and position together, or none of them. */
  async write(changes: Changes): Promise<void> {
    const transaction = (await this.db()).transaction(['meta', 'rooms', 'profiles', 'lines'], 'readwrite');
    const end = committed(transaction);
    const metas = transaction.objectStore('meta');
    const reading = metas.get('meta');
    reading.onsuccess = () => {
      const meta = (reading.result ?? {}) as Meta;
      if (changes.life < (meta.life ?? 0)) return;
      const fresh = changes.life > (meta.life ?? 0);
      if (fresh) for (const store of ['rooms', 'lines']) transaction.objectStore(store).clear();
      metas.put({ ...(fresh ? { life: changes.life } : meta), ...changes.meta }, 'meta');
      for (const profile of changes.profiles.values()) transaction.objectStore('profiles').put(profile);
      for (const [room, change] of changes.rooms) this.room(transaction, room, change);
    };
    await end;
  }

  async waiting(): Promise<Waiting[]> {
    const db = await this.db();
    const all = await done<Owned[]>(db.transaction('outbox').objectStore('outbox').getAll());
    const alive = new Set<string>();
    for (const owner of new Set(all.map((entry) => entry.owner))) {
      if (owner !== this.tab && (await this.lives(owner))) alive.add(owner);
    }
    const mine = all.filter(({ owner }) => !alive.has(owner));
    const adopted = mine.filter(({ owner }) => owner !== this.tab);
    if (adopted.length > 0) {
      const transaction = db.transaction('outbox', 'readwrite');
      for (const entry of adopted) transaction.objectStore('outbox').put({ ...entry, owner: this.tab });
      await committed(transaction);
    }
    return mine.map(({ owner: _owner, text = '', frame = { type: 'send', text }, ...entry }) => ({ frame, ...entry }));
  }

  async put(entry: Waiting): Promise<void> {
    const transaction = (await this.db()).transaction('outbox', 'readwrite', { durability: 'strict' });
    transaction.objectStore('outbox').put({ ...entry, owner: this.tab });
    // Left to itself it would commit after one more turn of this page, and be undone if the page is closed before.
    transaction.commit();
    await committed(transaction);
  }

  async remove(key: string): Promise<void> {
    const transaction = (await this.db()).transaction('outbox', 'readwrite');
    transaction.objectStore('outbox').delete(key);
    await committed(transaction);
  }

  close(): void {
    this.release?.();
    this.opened?.then((db) => db.close()).catch(() => undefined);
    this.opened = undefined;
  }

  private db(): Promise<IDBDatabase> {
    return (this.opened ??= openDatabase(this.name).then((db) => {
      // A newer version in another tab must not wait for this one.
      db.onversionchange = () => db.close();
      return db;
    }));
  }

  private room(transaction: IDBTransaction, room: string, { record, clear, lines }: RoomChange): void {
    const rooms = transaction.objectStore('rooms');
    const store = transaction.objectStore('lines');
    if (!record) {
      rooms.delete(room);
      store.delete(linesOf(room));
      return;
    }
    const reading = rooms.get(room);
    reading.onsuccess = () => {
      const old = reading.result as RoomRecord | undefined;
      const next = mergeRecord(old, record);
      // Another tab has begun this room anew: what is here belongs to what it dropped.
      if (next === old) return;
      const low = Math.max(next.low, (next.cursor ?? 0) - KEPT + 1);
      rooms.put({ ...next, low }, room);
      if (low > next.low) store.delete(linesOf(room, low));
      if (clear && (!old || old.gen < record.gen || old.cursor === undefined)) store.delete(linesOf(room));
      for (const [seq, line] of lines) if (seq >= low) this.line(store, { room, seq, line });
    };
  }

  private line(store: IDBObjectStore, next: StoredLine): void {
    const reading = store.get([next.room, next.seq]);
    reading.onsuccess = () => {
      const old = reading.result as StoredLine | undefined;
      if (!old || old.line.asOf <= next.line.asOf) store.put(next);
    };
  }

  private lock(tab: string): string {
    return `chinwag:${this.name}:${tab}`;
  }

  private async lives(tab: string): Promise<boolean> {
    const locks = globalThis.navigator?.locks;
    // Without locks everybody takes over everything: the server drops what comes twice.
    if (!locks) return false;
    return locks.request(this.lock(tab), { ifAvailable: true }, (lock) => lock === null);
  }
}

/** Keeps everything in the IndexedDB database `name`. One name per account: what is in it is shown as that account's. */
export function idbStore(name: string): Store {
  return new IdbStore(name);
}
