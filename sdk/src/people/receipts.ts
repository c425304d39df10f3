/**
 * How far the others in a room are, and what that means for a message of one's own. Pure: markers only rise, so frames
 * and answers may come in any order and any number of times.
 */

/** Two markers: up to here a device has everything; up to here it has been read. */
export interface Marker {
  readonly delivered: number;
  readonly read: number;
}

/** How far a message of one's own has come, once the server has stored it. */
export type Reached = 'sent' | 'delivered' | 'read';

/** The same with numbers: how many of how many. */
export interface Reach {
  readonly status: Reached;
  readonly delivered: number;
  readonly read: number;
  /** The others in the room who show it. */
  readonly of: number;
}

/** What is known of the others in a room. */
export class Receipts {
  /** Up to here everybody has everything, and has read it. They do not fall when somebody comes in later. */
  readonly all: Marker;
  /** Ascending, for counting. */
  readonly #delivered: number[];
  readonly #read: number[];

  /** `whole`: these are all others who show it; otherwise only those who have moved. */
  constructor(
    readonly members: ReadonlyMap<string, Marker> = new Map(), readonly whole = false, before?: Marker,
  ) {
    const sorted = (of: keyof Marker) => [...members.values()].map((one) => one[of]).sort((a, b) => a - b);
    this.#delivered = sorted('delivered');
    this.#read = sorted('read');
    const least = ([first = 0]: number[], floor = 0) => Math.max(whole ? first : 0, floor);
    this.all = { delivered: least(this.#delivered, before?.delivered), read: least(this.#read, before?.read) };
  }

  /** Some have moved. `whole`: there are no others. */
  moved(pairs: Iterable<readonly [string, number, number]>, whole = false): Receipts {
    const members = new Map(this.members);
    for (const [user, delivered, read] of pairs) members.set(user, later(members.get(user), { delivered, read }));
    return new Receipts(members, this.whole || whole, this.all);
  }

  /** Those who show it now: the others are forgotten. */
  stand(list: Iterable<Marker & { readonly user: string }>): Receipts {
    const members = new Map<string, Marker>();
    for (const { user, ...marker } of list) members.set(user, later(this.members.get(user), marker));
    return new Receipts(members, true, this.all);
  }

  /** How far the message `seq` has come. In a direct room: to the other one; in others: to each person. */
  of(seq: number): Reach {
    const reach = { delivered: atLeast(this.#delivered, seq), read: atLeast(this.#read, seq), of: this.members.size };
    const { delivered, read } = this.all;
    return { ...reach, status: seq <= read ? 'read' : seq <= delivered ? 'delivered' : 'sent' };
  }
}

/** `read` implies `delivered`. */
function later(before: Marker | undefined, { delivered, read }: Marker): Marker {
  const most = Math.max(before?.read ?? 0, read);
  return { delivered: Math.max(before?.delivered ?? 0, delivered, most), read: most };
}

/** How many of the ascending numbers are `seq` or more. */
function atLeast(sorted: readonly number[], seq: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle]! < seq) low = middle + 1;
    else high = middle;
  }
  return sorted.length - low;
}
