// How far one's own message has come: a shape and a word, never colour alone.
import type { Reach, Sending } from '../model';
import { t } from '../words';

/** What a tick shows: the way to the server, then the way to others. */
export type TickLook = Sending | Reach['status'];

const words: Record<TickLook, string> = {
  queued: t.waitingTick,
  sending: t.sendingTick,
  sent: t.sentTick,
  delivered: t.deliveredTick,
  read: t.readTick,
  failed: t.failedTick,
};

/** `words` say more than the look does; empty ones: the same stands beside it in words. */
export function Tick({ look, words: more = words[look] }: { look: TickLook; words?: string | undefined }) {
  const spoken = more ? { role: 'img' as const, 'aria-label': more } : { 'aria-hidden': true };
  return (
    <svg key={look} class={`tick tick-${look}`} viewBox="0 0 20 14" data-tick={look} {...spoken}>
      {more && <title>{more}</title>}
      <Shape look={look} />
    </svg>
  );
}

function Shape({ look }: { look: TickLook }) {
  switch (look) {
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
    case 'delivered':
      return <path d="m2 7.5 3.2 3.2L11.2 3.7M8.8 10.1l.6.6L15.5 3.7" />;
    case 'read':
      return (
        <>
          <rect x="-1" y="-1.5" width="20.5" height="17" rx="8.5" />
          <path d="m3.2 7.3 2.6 2.6L10.6 4.4M9.2 9.3l.6.6 4.8-5.5" />
        </>
      );
    case 'failed':
      return (
        <>
          <circle cx="10" cy="7" r="6" />
          <path d="M10 4v3.4M10 9.8h.01" />
        </>
      );
  }
}
