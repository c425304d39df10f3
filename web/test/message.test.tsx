// @vitest-environment happy-dom
import { render } from 'preact';
import { expect, test } from 'vitest';

import type { Conversation, Message } from '../src/model';
import { OthersMessage, OwnMessage } from '../src/timeline/message';

const entry: Message = { kind: 'message', key: 'k1', seq: 7, from: 'u_ann', ts: 0, text: '', sending: 'sent', edited: false, removed: false };

function shown(part: Partial<Message>, own = false): HTMLElement {
  const root = document.createElement('ol');
  const message = { ...entry, ...part };
  render(
    own ? (
      <OwnMessage entry={message} first last moves={false} conversation={{} as Conversation} />
    ) : (
      <OthersMessage entry={message} first name="Ann" moves={false} />
    ),
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

test('a refused message says why and offers both ways', () => {
  const root = shown({ text: 'x', sending: 'failed', why: 'forbidden' }, true);
  expect(root.querySelector('.fix')?.textContent).toBe('You may read here, not write.Try againDelete');
});

test('a removed message shows that it was', () => {
  expect(shown({ removed: true }).textContent).toContain('This message was removed');
});
