// Icons: strokes of 1.6 on a grid of 20, drawn as paths (ui.md, section 8).

const circle = (cx: number, cy: number, r: number): string =>
  `M${cx - r} ${cy}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;

const paths = {
  plus: 'M10 4v12M4 10h12',
  hash: 'M8 3.5 6.5 16.5M13.5 3.5 12 16.5M4 7.5h13M3 12.5h13',
  people: `${circle(7.5, 7, 2.8)}M2.5 16c.3-3 2.3-4.6 5-4.6s4.7 1.6 5 4.6M13 4.5a2.6 2.6 0 0 1 0 5M14.7 11.8c1.7.7 2.6 2.1 2.8 4.2`,
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  pencil:
    'm4 16 .7-3.2L13 4.5a1.6 1.6 0 0 1 2.3 0l.2.2a1.6 1.6 0 0 1 0 2.3L7.2 15.3 4 16ZM11.6 6l2.4 2.4',
  reply: 'M8 5 3.5 9.5 8 14M3.5 9.5H11c3.3 0 5.5 2 5.5 5.5',
  pin: 'M7 3.5h6l-.8 5 2.8 2.5H5l2.8-2.5ZM10 11v6',
  voice: 'M4 8v4h2.6L11 15.5v-11L6.6 8ZM14 8l3.5 4M17.5 8 14 12',
  trash: 'M4 6h12M8 6V4h4v2M5.8 6l.6 10.2h7.2L14.2 6',
  send: 'M10 16V4.5M5 9.4l5-5 5 5',
  alert: `${circle(10, 10, 7)}M10 6.2v4.6M10 13.6h.01`,
  down: 'M10 4v11.5M5.2 10.8 10 15.6l4.8-4.8',
  back: 'M12.5 4.5 7 10l5.5 5.5',
  sliders: `M3.5 6.5h7M14.7 6.5h1.8M3.5 13.5h1.8M9.5 13.5h7${circle(12.6, 6.5, 2.1)}${circle(7.4, 13.5, 2.1)}`,
  eye: `M2.5 10c1.7-3.3 4.3-5 7.5-5s5.8 1.7 7.5 5c-1.7 3.3-4.3 5-7.5 5s-5.8-1.7-7.5-5Z${circle(10, 10, 2.3)}`,
  close: 'm5 5 10 10M15 5 5 15',
  globe: `${circle(10, 10, 7)}M3 10h14M10 3c2 2 3 4.3 3 7s-1 5-3 7c-2-2-3-4.3-3-7s1-5 3-7Z`,
  exit: 'M8 3.8H5.5A1.5 1.5 0 0 0 4 5.3v9.4a1.5 1.5 0 0 0 1.5 1.5H8M8.5 10h8M13.4 6.8l3.2 3.2-3.2 3.2',
  invite: `${circle(8, 7, 3)}M3 16.2c.3-3 2.4-4.6 5-4.6 1.2 0 2.3.3 3.2 1M14.5 11.5v5M12 14h5`,
  tray: 'M3.5 11.5 5.4 5.2c.2-.4.5-.7 1-.7h7.2c.5 0 .8.3 1 .7l1.9 6.3v3a1.5 1.5 0 0 1-1.5 1.5H5a1.5 1.5 0 0 1-1.5-1.5ZM3.5 11.5h4c.2 1.4 1.2 2 2.5 2s2.3-.6 2.5-2h4',
  off: 'M3 8.2a10.5 10.5 0 0 1 3.5-2.2M9.2 5.2c2.9-.3 5.7.7 7.8 3M5.8 11.3a6.5 6.5 0 0 1 3.3-1.8M12.4 9.9c.7.3 1.3.8 1.9 1.4M10 15.2h.01M3.5 3.5l13 13',
} as const;

export type IconName = keyof typeof paths;

/** A drawing beside a word, or inside of a button that has a label: hidden from readers. */
export function Icon({ name, small, flip }: { name: IconName; small?: boolean; flip?: boolean }) {
  const dots = name === 'more' ? { 'stroke-width': 3 } : {};
  return (
    <svg class={`i${small ? ' i-16' : ''}${flip ? ' i-flip' : ''}`} viewBox="0 0 20 20" aria-hidden="true">
      <path d={paths[name]} {...dots} />
    </svg>
  );
}
