// The door: sign in or register on one sheet, or make a new place one's own.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import type { Session } from '../app/session';
import '../styles/entry.css';
import { t } from '../words';
import { Art } from './art';
import { Brand } from './brand';
import { EntryForm, type Purpose } from './form';

export function Door({ session, signedOut }: { session: Session; signedOut: boolean }) {
  const { invitation } = session;
  const server = session.server.value;
  const purpose = useSignal<Purpose>(invitation.setup ? 'setup' : invitation.invite ? 'register' : 'sign-in');
  useEffect(() => {
    document.title = session.placeName.value;
    if (!session.server.peek()) void session.learnServer();
  }, [session, session.placeName.value]);
  const open = server?.registration === 'open' || invitation.invite !== undefined;
  return (
    <div class="door-box">
      <main class="door">
        <Art />
        <div class="door-form">
          <div class="door-in">
            <Brand name={session.placeName.value} />
            <Greeting purpose={purpose.value} invited={invitation.invite !== undefined} signedOut={signedOut} />
            <EntryForm key={purpose.value} purpose={purpose.value} session={session} />
            <div class="door-more">
              {purpose.value === 'sign-in' && open && (
                <Switch question={t.newHere} act={t.makeAccount} testid="to-register" onClick={() => (purpose.value = 'register')} />
              )}
              {purpose.value === 'sign-in' && !open && server && <p>{server.registration === 'invite' ? t.byInvite : t.closed}</p>}
              {purpose.value === 'register' && (
                <Switch question={t.haveAccount} act={t.signIn} testid="to-sign-in" onClick={() => (purpose.value = 'sign-in')} />
              )}
            </div>
          </div>
        </div>
      </main>
    </div>
  );
}

function Greeting({ purpose, invited, signedOut }: { purpose: Purpose; invited: boolean; signedOut: boolean }) {
  const words = {
    'sign-in': [t.welcome, signedOut ? t.signedOut : t.welcomeHelp],
    register: [invited ? t.invited : t.come, t.comeHelp],
    setup: [t.setup, t.setupHelp],
  }[purpose];
  return (
    <div>
      <h1>{words[0]}</h1>
      <p>{words[1]}</p>
    </div>
  );
}

function Switch({ question, act, testid, onClick }: { question: string; act: string; testid: string; onClick: () => void }) {
  return (
    <p>
      {question}{' '}
      <button type="button" class="text-btn" data-testid={testid} onClick={onClick}>
        {act}
      </button>
    </p>
  );
}
