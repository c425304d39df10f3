// What one shows of oneself: three switches, each at once, each mutual.
import { useSignal } from '@preact/signals';

import { useWorld } from '../app/world';
import type { Hidden } from '../model';
import { Problem } from '../rooms/dialogs';
import { actProblem } from '../rooms/problem';
import { Dialog } from '../ui/dialog';
import { Introduce } from './introduce';
import { said } from '../words-later';

const switches = ['hide_online', 'hide_last_seen', 'hide_receipts'] as const;

export function Privacy({ onClose }: { onClose: () => void }) {
  const { place } = useWorld();
  const problem = useSignal('');
  /** What was asked for and is not answered yet: shown at once, taken back if it is refused. */
  const wished = useSignal<Partial<Hidden>>({});
  const here = place.here.value;
  const now = here?.shown.value;
  const turn = (what: keyof Hidden, hide: boolean) => {
    if (!here || wished.peek()[what] !== undefined) return;
    problem.value = '';
    wished.value = { ...wished.peek(), [what]: hide };
    here
      .show({ [what]: hide })
      .catch((error: unknown) => (problem.value = actProblem(error)))
      .finally(() => {
        const { [what]: _done, ...others } = wished.peek();
        wished.value = others;
      });
  };
  const foot = (
    <button type="button" class="btn btn-soft" onClick={onClose}>
      {said.close}
    </button>
  );
  return (
    <Dialog title={said.privacy} testid="privacy-dialog" onClose={onClose} foot={foot}>
      <Introduce />
      <hr />
      <p>{said.privacyHelp}</p>
      <div>
        {switches.map((what) => {
          const hide = wished.value[what] ?? now?.[what] ?? false;
          const { title, help } = said.privacySwitches[what];
          return (
            <div class="set" key={what}>
              <div class="grow">
                <b id={`${what}-name`}>{title}</b>
                <p id={`${what}-help`}>{help[hide ? 1 : 0]}</p>
              </div>
              <button
                type="button"
                class="switch"
                role="switch"
                aria-checked={!hide}
                aria-labelledby={`${what}-name`}
                aria-describedby={`${what}-help`}
                data-testid={what}
                onClick={() => turn(what, !hide)}
              />
            </div>
          );
        })}
      </div>
      <Problem text={problem.value} />
    </Dialog>
  );
}
