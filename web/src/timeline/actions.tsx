// The menu of a message: one for the whole timeline, beside whatever opened it. The browser closes it.
import { useEffect, useRef } from 'preact/hooks';

import { useWorld } from '../app/world';
import { looksAfter, type Conversation, type RoomRow } from '../model';
import { MenuItem, placeMenu, walkMenu } from '../ui/menu';
import { t } from '../words';
import { said } from '../words-later';
import { offered, type Doing } from './doing';

export function Actions({ room, conversation, doing }: { room: RoomRow; conversation: Conversation; doing: Doing }) {
  const { nav, place } = useWorld();
  const menu = useRef<HTMLDivElement>(null);
  const open = doing.menu.value;
  useEffect(() => {
    const element = menu.current;
    if (!open || !element) return;
    element.showPopover();
    placeMenu(element, open.opener);
    element.querySelector('button')?.focus();
    const toggled = (event: Event) => {
      if ((event as ToggleEvent).newState === 'closed') doing.menu.value = undefined;
    };
    element.addEventListener('toggle', toggled);
    return () => element.removeEventListener('toggle', toggled);
  }, [open]);
  if (!open) return null;
  const { entry } = open;
  const { seq } = entry;
  if (seq === undefined) return null;
  const own = entry.from === place.me.id;
  const after = looksAfter(room);
  const voice = room.role !== 'reader' && !room.muted;
  const pinned = room.pins.includes(seq);
  const mine = (emoji: string) => entry.reactions.some((one) => one.emoji === emoji && one.mine);
  const close = () => menu.current?.hidePopover();
  return (
    <div ref={menu} class="menu" popover="auto" role="group" aria-label={said.actionsTitle} data-testid="message-menu" onKeyDown={walkMenu} onClick={close}>
      {voice && (
        <div class="emojis">
          {offered.map((emoji) => (
            <button type="button" class="ib" aria-label={said.reactWith(emoji)} aria-pressed={mine(emoji)} data-emoji={emoji} onClick={() => conversation.react(seq, emoji, !mine(emoji))}>
              {emoji}
            </button>
          ))}
        </div>
      )}
      {voice && (
        <MenuItem icon="reply" testid="reply" onClick={() => doing.answer(entry)}>
          {said.reply}
        </MenuItem>
      )}
      {own && voice && !entry.sealed && (
        <MenuItem icon="pencil" testid="edit" onClick={() => doing.edit(entry)}>
          {said.edit}
        </MenuItem>
      )}
      {own && (
        <MenuItem icon="eye" testid="info" onClick={() => nav.ask({ kind: 'message-info', room: room.id, seq })}>
          {said.whoHasRead}
        </MenuItem>
      )}
      {(after || room.kind === 'direct') && voice && (
        <MenuItem icon="pin" testid="pin" onClick={() => conversation.pin(seq, !pinned)}>
          {pinned ? said.unpin : said.pin}
        </MenuItem>
      )}
      <MenuItem icon="trash" testid="hide" onClick={() => conversation.hide(seq)}>
        {said.deleteForMe}
      </MenuItem>
      {(own || after) && (
        <MenuItem icon="trash" bad testid="delete" onClick={() => nav.ask({ kind: 'remove-message', room: room.id, seq })}>
          {t.deleteIt}
        </MenuItem>
      )}
    </div>
  );
}
