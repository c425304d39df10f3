// The form at the door: a name, a password, one button.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { Refused, type User } from '../app/account';
import type { Session } from '../app/session';
import { Icon } from '../ui/icons';
import { t } from '../words';

export type Purpose = 'sign-in' | 'register' | 'setup';

/** What was refused, and at which field it is shown. */
interface Refusal {
  field: 'name' | 'password';
  text: string;
}

export function EntryForm({ purpose, session }: { purpose: Purpose; session: Session }) {
  const refusal = useSignal<Refusal | undefined>(undefined);
  const busy = useSignal(false);
  const name = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!matchMedia('(pointer: coarse)').matches) name.current?.focus();
  }, []);

  const submit = async () => {
    if (busy.peek()) return;
    busy.value = true;
    refusal.value = undefined;
    try {
      await session.enter(await ask(purpose, session, name.current?.value ?? '', password.current?.value ?? ''));
    } catch (error) {
      refusal.value = refusalOf(error, session.placeName.peek());
      const field = refusal.peek()?.field === 'name' ? name : password;
      field.current?.focus();
    } finally {
      busy.value = false;
    }
  };
  const isNew = purpose !== 'sign-in';
  const act = { 'sign-in': t.signIn, register: t.makeAccount, setup: t.openPlace(session.placeName.value) }[purpose];
  return (
    <form
      class="stack"
      data-testid={`${purpose}-form`}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <div>
        <label class="label" for="entry-name">
          {isNew ? t.yourName : t.name}
        </label>
        <div class={`field${refusal.value?.field === 'name' ? ' is-bad' : ''}`}>
          <input ref={name} id="entry-name" name="username" dir="auto" autocomplete="username" autocapitalize={isNew ? 'words' : 'none'} spellcheck={false} aria-invalid={refusal.value?.field === 'name'} aria-describedby="entry-name-help" />
        </div>
        <Help id="entry-name-help" refusal={refusal.value?.field === 'name' ? refusal.value.text : ''} />
      </div>
      <PasswordField inner={password} isNew={isNew} refusal={refusal.value?.field === 'password' ? refusal.value.text : ''} />
      <button type="submit" class="btn btn-main" aria-disabled={busy.value ? 'true' : undefined} data-testid="enter">
        {act}
      </button>
    </form>
  );
}

function PasswordField({ inner, isNew, refusal }: { inner: { current: HTMLInputElement | null }; isNew: boolean; refusal: string }) {
  const shown = useSignal(false);
  return (
    <div>
      <label class="label" for="entry-password">
        {t.password}
      </label>
      <div class={`field${refusal ? ' is-bad' : ''}`}>
        <input ref={inner} id="entry-password" name="password" {...(shown.value ? { type: 'text' } : { type: 'password' })} autocomplete={isNew ? 'new-password' : 'current-password'} aria-invalid={refusal !== ''} aria-describedby="entry-password-help" />
        <button type="button" class="ib ib-sm" aria-label={t.showPassword} aria-pressed={shown.value} onClick={() => (shown.value = !shown.value)}>
          <Icon name="eye" />
        </button>
      </div>
      <Help id="entry-password-help" refusal={refusal} help={isNew ? t.passwordHelp : ''} />
    </div>
  );
}

function Help({ id, refusal, help = '' }: { id: string; refusal: string; help?: string }) {
  if (refusal) {
    return (
      <p class="help help-bad" id={id} role="alert" data-testid="refusal">
        <Icon name="alert" small /> {refusal}
      </p>
    );
  }
  return help ? (
    <p class="help" id={id}>
      {help}
    </p>
  ) : null;
}

function ask(purpose: Purpose, session: Session, name: string, password: string): Promise<User> {
  const { accounts, invitation } = session;
  switch (purpose) {
    case 'sign-in':
      return accounts.login(name, password);
    case 'register':
      return accounts.register(name, password, invitation.invite);
    case 'setup':
      return accounts.setup(invitation.setup ?? '', name, password);
  }
}

function refusalOf(error: unknown, place: string): Refusal {
  const refused = error instanceof Refused ? error : new Refused('unknown');
  const seconds = refused.retryAfterMs === undefined ? undefined : Math.ceil(refused.retryAfterMs / 1000);
  return {
    field: refused.field === 'name' || refused.code === 'name_taken' ? 'name' : 'password',
    text: t.entryError(refused.code, seconds, place),
  };
}
