// How far one's own message has come: a shape and a word, never colour alone.
import type { Sending } from '../model';
import { t } from '../words';

const words = { queued: t.waitingTick, sending: t.sendingTick, sent: t.sentTick, failed: t.failedTick };

export function Tick({ sending }: { sending: Sending }) {
  return (
    <svg key={sending} class={`tick tick-${sending}`} viewBox="0 0 20 14" role="img" aria-label={words[sending]}>
      <Shape sending={sending} />
    </svg>
  );
}

function Shape({ sending }: { sending: Sending }) {
  switch (sending) {
    case 'queued':
      return (
        <>
          <circle cx="10" cy="7" r="5.5" />
          <path d="M10 4v3l2 1.5" />
        </>
      );
    case 'sending':
      return <circle cx="10" cy="7" r="5" pathLength="100" />;
    case 'sent':
      return <path d="m5.5 7.5 3.2 3.2L14.7 3.7" />;
    case 'failed':
      return (
        <>
          <circle cx="10" cy="7" r="6" />
          <path d="M10 4v3.4M10 9.8h.01" />
        </>
      );
  }
}
