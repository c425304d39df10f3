// Oneself: how the page looks, and the way out.
import type { ComponentChildren } from 'preact';
import { useSignal } from '@preact/signals';

import type { Theme } from '../app/device';
import { useWorld } from '../app/world';
import { Menu, MenuItem } from '../ui/menu';
import { t } from '../words';

const themes: Theme[] = ['system', 'light', 'dark'];

export function MeMenu({ testid, button }: { testid: string; button: ComponentChildren }) {
  const { session, place, nav } = useWorld();
  const problem = useSignal('');
  const { device } = session;
  const leave = () => {
    const waiting = place.waiting.peek();
    if (waiting > 0) return nav.ask({ kind: 'sign-out', waiting });
    session.signOut().catch(() => {
      problem.value = t.signOutNeedsLine;
    });
  };
  return (
    <>
      <Menu label={t.yourMenu} testid={testid} button={button}>
        <div class="menu-part">
          <span id={`${testid}-look`}>{t.appearance}</span>
          <div class="seg" role="radiogroup" aria-labelledby={`${testid}-look`}>
            {themes.map((theme) => (
              <button
                key={theme}
                type="button"
                role="radio"
                aria-checked={device.theme.value === theme}
                onClick={() => device.chooseTheme(theme)}
              >
                {t.theme[theme]}
              </button>
            ))}
          </div>
        </div>
        <hr />
        <MenuItem icon="eye" testid={`${testid}-privacy`} onClick={() => nav.ask({ kind: 'privacy' })}>
          {t.privacy}
        </MenuItem>
        <MenuItem icon="tray" testid={`${testid}-mine`} onClick={() => nav.ask({ kind: 'mine' })}>
          {t.mine}
        </MenuItem>
        <MenuItem icon="exit" testid={`${testid}-sign-out`} onClick={leave}>
          {t.signOut}
        </MenuItem>
      </Menu>
      <span class="sr" role="alert">
        {problem}
      </span>
    </>
  );
}
