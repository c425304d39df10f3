/** What the server says goes to the part that knows: one entry for each type of frame that is not just a reply. */

import type { Core } from './chat.js';
import type { Blocks, Item, RoomRow, ServerFrame } from './wire.js';

type Of<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>;

const row = ({ book }: Core, frame: { row: RoomRow }) => book.row(frame.row);

const blocked = ({ journal }: Core, { users }: Blocks) => journal.note({ blocks: users });

const piece = ({ book }: Core, item: Item) => book.items(item.room, [item]);

const intake: { [T in ServerFrame['type']]?: (core: Core, frame: Of<T>) => void } = {
  welcome(core, { user, epoch, limits }) {
    core.people.add([user]);
    core.epoch = epoch;
    core.outbox.limits = limits;
    core.journal.note({ user });
  },
  summary(core, frame) {
    const { book, journal, epoch } = core;
    core.settings = frame.settings ?? core.settings;
    if (frame.blocks) blocked(core, frame.blocks);
    // The epoch is stored with what belongs to it, never before.
    book.summary(frame, (journal.meta.epoch ?? epoch) !== epoch);
    journal.note({ epoch });
  },
  event: piece,
  skip: piece,
  events: ({ book }, { room, items, head }) => book.items(room, items, head),
  reset: ({ book }, frame) => book.reset(frame),
  page: ({ book }, frame) => book.page(frame),
  room: row,
  row,
  blocks(core, frame) {
    blocked(core, frame);
    // The server counts anew what is not held here.
    void core.sync();
  },
  profiles: ({ people }, { users }) => people.add(users),
  marker: ({ book }, frame) => book.marker(frame),
  caught_up(core, { position }) {
    core.vouched(position);
    core.caughtUp();
  },
  behind: (core) => void core.sync(),
  token_expiring: (core) => void core.renew(),
  reconnect: ({ link }, frame) => link.restart(frame.after_ms, frame.spread_ms),
};

/** Takes in what is told, asked for or not. Frames of later versions are ignored. */
export function takeIn(core: Core, frame: ServerFrame): void {
  intake[frame.type]?.(core, frame as never);
}
