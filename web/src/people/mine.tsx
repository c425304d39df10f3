// What is one's own: taking it away, and going for good. Going takes two steps and the password.
import { useSignal } from '@preact/signals';

import { download, erase, type Words } from '../app/mine';
import { useWorld } from '../app/world';
import { Choice, Problem } from '../rooms/dialogs';
import { codeOf } from '../rooms/problem';
import { Dialog, Ends } from '../ui/dialog';
import { Icon } from '../ui/icons';
import { t } from '../words';
import { said } from '../words-later';

export function Mine({ onClose }: { onClose: () => void }) {
  const { session, place } = useWorld();
  const going = useSignal(false);
  const words = useSignal<Words>('keep');
  const password = useSignal('');
  const problem = useSignal('');
  const busy = useSignal(false);
  /** One thing at a time; what goes wrong is said in the dialog, which stays open. */
  const run = (act: () => Promise<void>) => {
    if (busy.peek()) return;
    busy.value = true;
    problem.value = '';
    act()
      .catch((error: unknown) => (problem.value = said.mineError(codeOf(error))))
      .finally(() => (busy.value = false));
  };
  const take = () => run(async () => save(await download(await session.token(place.me))));
  const go = () => {
    if (!going.peek()) return;
    if (password.peek() === '') return void (problem.value = said.mineError('bad_field'));
    run(() => session.erase((token) => erase(token, words.peek(), password.peek())));
  };
  const further = () => {
    problem.value = '';
    going.value = true;
  };
  const close = (
    <button type="button" class="btn btn-soft" onClick={onClose}>
      {said.close}
    </button>
  );
  // One dialog for both steps: the closing of the first would close the second.
  return (
    <Dialog
      title={going.value ? said.goQuestion : t.mine}
      testid="mine-dialog"
      onClose={onClose}
      onSubmit={go}
      foot={going.value ? <Ends act={said.go} bad busy={busy.value} onClose={onClose} /> : close}
    >
      {going.value ? (
        <>
          {said.goPlainly.map((line) => (
            <p key={line}>{line}</p>
          ))}
          <fieldset class="choices">
            <legend class="label">{said.yourMessages}</legend>
            <Choice on={words.value === 'keep'} title={said.wordsStay} help={said.wordsStayHelp} testid="words-keep" onChoose={() => (words.value = 'keep')} />
            <Choice on={words.value === 'redact'} title={said.wordsGo} help={said.wordsGoHelp} testid="words-redact" onChoose={() => (words.value = 'redact')} />
          </fieldset>
          <div>
            <label class="label" for="go-password">
              {t.password}
            </label>
            <div class="field">
              <input id="go-password" type="password" autocomplete="current-password" value={password.value} onInput={(event) => (password.value = event.currentTarget.value)} />
            </div>
          </div>
        </>
      ) : (
        <>
          <p>{said.takeHelp}</p>
          <div>
            <button type="button" class="btn btn-main" aria-disabled={busy.value ? 'true' : undefined} data-testid="take" onClick={take}>
              <Icon name="down" /> {busy.value ? said.taking : said.take}
            </button>
          </div>
          <p>{said.goHelp}</p>
          <div>
            <button type="button" class="btn btn-soft" data-testid="go" onClick={further}>
              <Icon name="trash" /> {said.goFurther}
            </button>
          </div>
        </>
      )}
      <Problem text={problem.value} />
    </Dialog>
  );
}

/** Hands a file to the browser, which asks where to or puts it where it puts all. */
function save(file: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = 'chinwag-export.ndjson';
  link.click();
  // The browser has its own hold of it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
