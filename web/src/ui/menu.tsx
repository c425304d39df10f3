// A menu under its button, in the top layer. The browser closes it: by Esc, or a press elsewhere.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';

import { Icon, type IconName } from './icons';

export interface MenuProps {
  label: string;
  testid: string;
  /** The button's class and content. */
  buttonClass?: string;
  button: ComponentChildren;
  children: ComponentChildren;
}

export function Menu({ label, testid, buttonClass = 'ib', button, children }: MenuProps) {
  const opener = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const id = useId();
  useEffect(() => {
    const element = menu.current;
    const toggled = (event: Event) => {
      const opens = (event as ToggleEvent).newState === 'open';
      setOpen(opens);
      if (!opens || !element || !opener.current) return;
      placeMenu(element, opener.current);
      element.querySelector<HTMLElement>('button')?.focus();
    };
    element?.addEventListener('toggle', toggled);
    return () => element?.removeEventListener('toggle', toggled);
  }, []);
  return (
    <>
      <button
        ref={opener}
        type="button"
        class={buttonClass}
        aria-label={label}
        aria-haspopup="true"
        aria-expanded={open}
        aria-controls={id}
        data-testid={testid}
        onClick={() => menu.current?.togglePopover()}
      >
        {button}
      </button>
      <div
        ref={menu}
        id={id}
        class="menu"
        popover="auto"
        role="group"
        aria-label={label}
        onClick={(event) => {
          if ((event.target as Element).closest('.menu-item')) menu.current?.hidePopover();
        }}
        onKeyDown={walkMenu}
      >
        {children}
      </div>
    </>
  );
}

export function MenuItem({ icon, bad, testid, onClick, children }: { icon: IconName; bad?: boolean; testid: string; onClick: () => void; children: ComponentChildren }) {
  return (
    <button type="button" class={`menu-item${bad ? ' is-bad' : ''}`} data-testid={testid} onClick={onClick}>
      <Icon name={icon} />
      {children}
    </button>
  );
}

/** Puts the menu beside its button, inside of the window. */
export function placeMenu(menu: HTMLElement, opener: HTMLElement): void {
  const at = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const edge = 8;
  const left = Math.min(Math.max(edge, at.right - width), innerWidth - width - edge);
  const below = at.bottom + 4 + height <= innerHeight - edge;
  menu.style.left = `${Math.max(edge, left)}px`;
  menu.style.top = `${Math.max(edge, below ? at.bottom + 4 : at.top - 4 - height)}px`;
}

/** Arrows walk through the items. */
export function walkMenu(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (step === undefined) return;
  const items = [...(event.currentTarget as Element).querySelectorAll<HTMLElement>('button')];
  const index = items.indexOf(document.activeElement as HTMLElement);
  items.at((index + step) % items.length)?.focus();
  event.preventDefault();
}
