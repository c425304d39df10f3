// Moments as words. Pure, but for the reader's own time zone.

/** The page speaks English: dates do as well, in the reader's own kind of English. */
const locale =
  (typeof navigator === 'undefined' ? [] : (navigator.languages ?? [])).find((tag) =>
    /^en\b/.test(tag),
  ) ?? 'en-GB';

const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const shortDate = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const shortYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const longDay = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const longYear = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const whole = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });

const dayMs = 86_400_000;

function midnight(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** `08:58` */
export function timeOf(ts: number): string {
  return clock.format(ts);
}

/** All of it, for a tooltip. */
export function momentOf(ts: number): string {
  return whole.format(ts);
}

/** `Tuesday, 14 October`, with the year if it is another one. */
export function dayLabel(ts: number, nowMs: number): string {
  const sameYear = new Date(ts).getFullYear() === new Date(nowMs).getFullYear();
  return (sameYear ? longDay : longYear).format(ts);
}

/** In a list: the time today, the weekday within a week, then the date. */
export function shortLabel(ts: number, nowMs: number): string {
  // Days differ by an hour where the clock changes: rounded.
  const days = Math.round((midnight(nowMs) - midnight(ts)) / dayMs);
  if (days <= 0) return timeOf(ts);
  if (days < 7) return weekday.format(ts);
  const sameYear = new Date(ts).getFullYear() === new Date(nowMs).getFullYear();
  return (sameYear ? shortDate : shortYear).format(ts);
}

const longWeekday = new Intl.DateTimeFormat(locale, { weekday: 'long' });

/** When somebody was there last, behind "Seen": the time today, then the day. */
export function seenLabel(ts: number, nowMs: number): string {
  const days = Math.round((midnight(nowMs) - midnight(ts)) / dayMs);
  if (days <= 0) return `today at ${timeOf(ts)}`;
  if (days === 1) return `yesterday at ${timeOf(ts)}`;
  return `on ${days < 7 ? longWeekday.format(ts) : shortLabel(ts, nowMs)}`;
}
