// @vitest-environment happy-dom
import { signal } from '@preact/signals';
import { render } from 'preact';
import { expect, test } from 'vitest';

import { WorldContext, type World } from '../src/app/world';
import type { Conversation, Message, Reach } from '../src/model';
import { Doing } from '../src/timeline/doing';
import { OthersMessage, OwnMessage } from '../src/timeline/message';

const entry: Message = { kind: 'message', key: 'k1', seq: 7, from: 'u_ann', ts: 0, text: '', sending: 'sent', edited: false, removed: false, mentions: [], reactions: [], changing: false };

function shown(part: Partial<Message>, own = false, held: Message[] = [], reach?: Reach): HTMLElement {
  const root = document.createElement('ol');
  const message = { ...entry, ...part };
  const bySeq = signal(new Map(held.map((one) => [one.seq!, one])));
  const rest = { entry: message, first: true, moves: false, conversation: { id: 'r_1', bySeq } as unknown as Conversation, doing: new Doing() };
  const here = reach && { room: () => ({ receipts: signal({ of: () => reach }) }) };
  const place = { here: signal(here), me: { id: 'u_me', name: 'Me' }, person: (id: string) => ({ id, name: id === 'u_ann' ? 'Ann' : 'Ben' }) };
  render(
    <WorldContext.Provider value={{ place } as unknown as World}>
      {own ? <OwnMessage {...rest} last /> : <OthersMessage {...rest} name="Ann" called={false} />}
    </WorldContext.Provider>,
    root,
  );
  return root;
}

test('words are text, byte for byte, whatever they look like', () => {
  for (const text of ['<script>alert(1)</script>', '<img src=x onerror=alert(1)>', '&lt;b&gt; &amp;', ' a\n\n  b\t', '‮abc', 'https://a.example/?<b>']) {
    const root = shown({ text });
    expect(root.querySelector('[data-text]')?.textContent).toBe(text);
    expect(root.querySelector('script, img, b:not(.cut)')).toBeNull();
  }
});

test('journeys find a message by seq and key', () => {
  expect(shown({ text: 'x' }).querySelector('[data-key="k1"][data-seq="7"] [data-text]')).not.toBeNull();
  expect(shown({ text: 'x', seq: undefined }, true).querySelector('[data-seq]')).toBeNull();
});

test('a tick is a word for those who do not see it', () => {
  const label = (sending: Message['sending']) => shown({ text: 'x', sending }, true).querySelector('.tick')?.getAttribute('aria-label');
  expect((['queued', 'sending', 'sent', 'failed'] as const).map(label)).toEqual(['Waiting on this device', 'Sending', 'Sent', 'Not sent']);
});

test('what others have received and read is a shape and a word; in larger rooms with numbers', () => {
  const tick = (reach: Reach, part: Partial<Message> = {}) => {
    const drawn = shown({ text: 'x', ...part }, true, [], reach).querySelector('.tick');
    return [drawn?.getAttribute('data-tick'), drawn?.getAttribute('aria-label')];
  };
  const one = { delivered: 1, read: 0, of: 1 };
  expect(tick({ status: 'delivered', ...one })).toEqual(['delivered', 'Delivered']);
  expect(tick({ status: 'read', ...one, read: 1 })).toEqual(['read', 'Read']);
  expect(tick({ status: 'sent', delivered: 1, read: 0, of: 2 })).toEqual(['sent', 'Delivered to 1 of 2']);
  expect(tick({ status: 'delivered', delivered: 2, read: 1, of: 2 })).toEqual(['delivered', 'Read by 1 of 2']);
  expect(tick({ status: 'read', delivered: 2, read: 2, of: 2 })).toEqual(['read', 'Read by everyone']);
  // What has not got to the server has got to nobody, whatever is known of others.
  expect(tick({ status: 'read', ...one }, { sending: 'queued', seq: undefined })).toEqual(['queued', 'Waiting on this device']);
  expect(tick({ status: 'read', ...one }, { changing: true })).toEqual(['queued', 'Waiting on this device']);
});

test('a refused message says why and offers both ways', () => {
  const root = shown({ text: 'x', sending: 'failed', why: 'forbidden' }, true);
  expect(root.querySelector('.fix')?.textContent).toBe('You may read here, not write.Try againDelete');
});

test('a removed message shows that it was', () => {
  expect(shown({ removed: true }).textContent).toContain('This message was removed');
});

test('a quote shows author and first line, and nothing of what is gone or not to be seen', () => {
  const quoted = { ...entry, key: 'k2', seq: 3, from: 'u_ben', text: 'one\ntwo' };
  const quote = (held: Message[]) => shown({ text: 'x', replyTo: 3 }, false, held).querySelector('.quote');
  expect([...quote([quoted])!.children].map((part) => part.textContent)).toEqual(['In answer to', 'Ben', 'one']);
  expect(quote([{ ...quoted, text: '', removed: true }])?.textContent).toBe('Deleted message');
  expect(quote([])?.textContent).toBe('Message not available');
});

test('a reaction says how many and who, and whether one is among them', () => {
  const root = shown({ text: 'x', reactions: [{ emoji: '👍', users: ['u_ben', 'u_me'], mine: true }] });
  const chip = root.querySelector('.reaction')!;
  expect([chip.textContent, chip.getAttribute('aria-label'), chip.getAttribute('aria-pressed')]).toEqual(['👍 2', '👍 2: Ben, You', 'true']);
});

test('only the names that a message calls on stand out', () => {
  const root = shown({ text: '@Ben and @Ann, not @Bent', mentions: ['u_ben'] });
  expect([...root.querySelectorAll('.at')].map((part) => part.textContent)).toEqual(['@Ben']);
  expect(root.querySelector('[data-text]')?.textContent).toBe('@Ben and @Ann, not @Bent');
});

test('a refused change says why, below words that are as before', () => {
  const root = shown({ text: 'x', refused: { key: 'k9', what: 'edit', why: 'forbidden' } }, true);
  expect(root.querySelector('.fix')?.textContent).toBe('Not changed: you may not do this here.Try againDismiss');
});

test('a message that gets its number follows what others receive from then on', async () => {
  const root = document.createElement('ol');
  const receipts = signal({ of: (): Reach => ({ status: 'sent', delivered: 0, read: 0, of: 1 }) });
  const place = { here: signal({ room: () => ({ receipts }) }), me: { id: 'u_me', name: 'Me' }, person: (id: string) => ({ id, name: id }) };
  const draw = (part: Partial<Message>) =>
    render(
      <WorldContext.Provider value={{ place } as unknown as World}>
        <OwnMessage entry={{ ...entry, ...part }} first last moves={false} conversation={{ id: 'r_1', bySeq: signal(new Map()) } as unknown as Conversation} doing={new Doing()} />
      </WorldContext.Provider>,
      root,
    );
  const look = () => root.querySelector('.tick')?.getAttribute('data-tick');
  draw({ seq: undefined, sending: 'sending' });
  expect(look()).toBe('sending');
  draw({ sending: 'sent' });
  expect(look()).toBe('sent');
  receipts.value = { of: () => ({ status: 'read', delivered: 1, read: 1, of: 1 }) };
  await new Promise((resolve) => setTimeout(resolve));
  expect(look()).toBe('read');
});
