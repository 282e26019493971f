/** The icons, drawn for this product: 24-px box, one stroke, the text's colour.  One sprite, put into the page once. */

import type { ComponentChildren } from "preact";

const dot = (cx: number, cy: number, r: number): ComponentChildren => <circle class="f" cx={cx} cy={cy} r={r} />;

const SHAPES = {
  fanal: (
    <>
      <path d="M9 4h6M12 2v2M8 8l1-4h6l1 4M8 8h8v9H8zM7 17h10l1 4H6z" />
      <path class="f" d="M12 9.5c1.6 1.6 2 2.7 2 3.6a2 2 0 0 1-4 0c0-.9.4-2 2-3.6z" />
    </>
  ),
  live: (
    <>
      <rect x="3" y="4" width="8" height="7" rx="1.5" />
      <rect x="13" y="4" width="8" height="7" rx="1.5" />
      <rect x="3" y="13" width="8" height="7" rx="1.5" />
      <rect x="13" y="13" width="8" height="7" rx="1.5" />
    </>
  ),
  search: <path d="M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM16 16l4.5 4.5" />,
  info: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 11v5.5" />
      {dot(12, 7.7, 1.1)}
    </>
  ),
  whole: <path d="M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5" />,
  unwhole: <path d="M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5" />,
  snapshot: (
    <>
      <path d="M4 8h3.5L9 5.5h6L16.5 8H20a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1z" />
      <circle cx="12" cy="13" r="3.5" />
    </>
  ),
  sound: <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.5 7.5 0 0 1 0 11" />,
  mute: <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5" />,
  zoom: (
    <>
      <circle cx="11" cy="11" r="6.5" />
      <path d="m16 16 4.5 4.5M8.5 11h5M11 8.5v5" />
    </>
  ),
  plus: <path d="M12 5v14M5 12h14" />,
  minus: <path d="M5 12h14" />,
  back: <path d="M20 12H4M10.5 5.5 4 12l6.5 6.5" />,
  left: <path d="m14.5 6-6 6 6 6" />,
  right: <path d="m9.5 6 6 6-6 6" />,
  down: <path d="m6 9.5 6 6 6-6" />,
  why: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M9.5 9.6a2.6 2.6 0 1 1 3.6 2.4c-.8.4-1.1.9-1.1 1.8" />
      {dot(12, 16.8, 1.1)}
    </>
  ),
  warning: (
    <>
      <path d="M12 4 2.8 19.5h18.4zM12 10v4.5" />
      {dot(12, 17, 1)}
    </>
  ),
  lock: (
    <>
      <rect x="5" y="10.5" width="14" height="10" rx="2" />
      <path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" />
    </>
  ),
  unlock: (
    <>
      <rect x="5" y="10.5" width="14" height="10" rx="2" />
      <path d="M8 10.5V8a4 4 0 0 1 7.7-1.5" />
    </>
  ),
  eye: (
    <>
      <path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z" />
      <circle cx="12" cy="12" r="2.8" />
    </>
  ),
  eyeoff: (
    <>
      <path d="M6.5 7C4 8.8 2.5 12 2.5 12S6 18.5 12 18.5c1.7 0 3.2-.5 4.5-1.3M10 5.7c.6-.1 1.3-.2 2-.2 6 0 9.5 6.5 9.5 6.5s-.7 1.3-2 2.7" />
      <path d="m4 4 16 16" />
    </>
  ),
  theme: (
    <>
      <circle cx="12" cy="12" r="4" />
      <path d="M12 2.5V5M12 19v2.5M2.5 12H5M19 12h2.5M5.3 5.3 7 7M17 17l1.7 1.7M18.7 5.3 17 7M7 17l-1.7 1.7" />
    </>
  ),
  retry: <path d="M20 11.5A8 8 0 0 0 6 6.3L3.5 9M3.5 4v5h5M4 12.5a8 8 0 0 0 14 5.2l2.5-2.7M20.5 20v-5h-5" />,
  check: <path d="m5 12.5 4.5 4.5L19 7.5" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  copy: (
    <>
      <rect x="8.5" y="8.5" width="12" height="12" rx="2" />
      <path d="M15.5 8.5v-3a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h3" />
    </>
  ),
  camera: (
    <>
      <rect x="2.5" y="6.5" width="13" height="11" rx="2" />
      <path d="m15.5 10.5 5-3v9l-5-3" />
    </>
  ),
  record: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      {dot(12, 12, 4)}
    </>
  ),
  screen: (
    <>
      <rect x="3" y="4.5" width="18" height="12" rx="1.5" />
      <path d="M9 20h6M12 16.5V20" />
    </>
  ),
  layers: <path d="m12 3.5 9 5-9 5-9-5zM3 13.5 12 18.5l9-5" />,
  mask: (
    <>
      <rect x="3.5" y="5" width="17" height="14" rx="2" />
      <path class="f" d="M7 9h6v6H7z" />
    </>
  ),
  bars: (
    <>
      <path d="M4 20v-4M9.5 20v-8" />
      <path d="M15 20V8M20.5 20V4" opacity=".45" />
    </>
  ),
  play: <path class="f" d="M8 5.2v13.6c0 .8.9 1.3 1.5.8l9.5-6.8a1 1 0 0 0 0-1.6L9.5 4.4C8.9 3.9 8 4.4 8 5.2z" />,
  signout: <path d="M10 4H5v16h5M15.5 7.5 20 12l-4.5 4.5M20 12H9" />,
  key: (
    <>
      <circle cx="8" cy="15.5" r="4" />
      <path d="m11 12.5 8-8M16 7.5l2.5 2.5" />
    </>
  ),
  keyboard: (
    <>
      <rect x="2.5" y="6" width="19" height="12" rx="2" />
      <path d="M6 10h.01M10 10h.01M14 10h.01M18 10h.01M8 14h8" />
    </>
  ),
  phone: (
    <>
      <rect x="6.5" y="2.5" width="11" height="19" rx="2.5" />
      <path d="M11 18.5h2" />
    </>
  ),
  settings: (
    <>
      <circle cx="12" cy="12" r="3" />
      <path d="M12 3.5v2.5M12 18v2.5M3.5 12H6M18 12h2.5M6 6l1.8 1.8M16.2 16.2 18 18M18 6l-1.8 1.8M7.8 16.2 6 18" />
    </>
  ),
  status: <path d="M3 12.5h4l2.5-7 5 13 2.5-6h4" />,
  playback: <path d="M3.5 12a8.5 8.5 0 1 0 2.7-6.2L3.5 8.3M3.5 4v4.3h4.3M12 7.5V12l3.2 2" />,
  step: (
    <>
      <circle cx="8" cy="12" r="4.5" />
      <circle cx="16" cy="12" r="4.5" />
    </>
  ),
  none: (
    <>
      <circle cx="12" cy="12" r="8.5" />
      <path d="m6 6 12 12" />
    </>
  ),
  undo: <path d="M3.5 12a8.5 8.5 0 1 0 2.7-6.2L3.5 8.3M3.5 4v4.3h4.3" />,
  trash: <path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10 11v5M14 11v5" />,
  globe: (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18" />
    </>
  ),
  pause: (
    <>
      <rect class="f" x="6.5" y="5" width="4" height="14" rx="1" />
      <rect class="f" x="13.5" y="5" width="4" height="14" rx="1" />
    </>
  ),
  previous: <path d="M17 6v12l-8-6zM6.5 6v12" />,
  next: <path d="M7 6v12l8-6zM17.5 6v12" />,
  bookmark: <path d="M6.5 3.5h11v17L12 16.5l-5.5 4z" />,
  calendar: (
    <>
      <rect x="3.5" y="5" width="17" height="15.5" rx="2" />
      <path d="M3.5 10h17M8 3v4M16 3v4" />
    </>
  ),
  investigation: (
    <>
      <path d="M3 7.5a2 2 0 0 1 2-2h4l2 2.5h8a2 2 0 0 1 2 2V18a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z" />
      <circle cx="11.5" cy="13.5" r="2.5" />
      <path d="m13.5 15.5 2 2" />
    </>
  ),
  download: <path d="M12 4v11M7 10.5l5 5 5-5M4.5 20h15" />,
  pen: <path d="m4.5 19.5 1-4.5L16 4.5l3.5 3.5L9 18.5zM13.5 7l3.5 3.5" />,
  bell: <path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5a2.2 2.2 0 0 0 4 0" />,
} as const satisfies Record<string, ComponentChildren>;

export type IconName = keyof typeof SHAPES;

export function Sprite() {
  return (
    <svg class="sprite" aria-hidden="true">
      {Object.entries(SHAPES).map(([name, shape]) => (
        <symbol key={name} id={`i-${name}`} viewBox="0 0 24 24">
          {shape}
        </symbol>
      ))}
    </svg>
  );
}

export function Icon({ name, size = "", look = "" }: { name: IconName; size?: "" | "s" | "l"; look?: "" | "attn" }) {
  return (
    <svg class={`i${size && ` i-${size}`}${look && ` ${look}`}`} viewBox="0 0 24 24" aria-hidden="true">
      <use href={`#i-${name}`} />
    </svg>
  );
}
