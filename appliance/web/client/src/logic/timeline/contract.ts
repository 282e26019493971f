/**
 * What the timeline and its neighbours say to the page that plays (ui.md §7).  The page owns the clock, the players and
 * the address; the parts own what they draw and ask.  All times are UTC milliseconds since the Unix epoch, all spans
 * half open.
 */

import type { ComponentChildren } from "preact";

/** From `from` up to, and without, `to`. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A value that changes without rendering anything: a `Store` is one. */
export interface Watched<T> {
  get(): T;
  /** Returns what ends it. */
  subscribe(listener: () => void): () => void;
}

/** A watched value that both sides change: a `Store` is one. */
export interface Shared<T> extends Watched<T> {
  set(value: T): void;
}

/** A lane of the timeline. */
export interface LaneCamera {
  readonly id: string;
  readonly name: string;
  /** May take a copy of what was recorded (right `export`). */
  readonly export: boolean;
}

export type MarkerKind = "event" | "alarm" | "bookmark";

/** Something that happened at a moment, or was written down about it. */
export interface Marker {
  readonly kind: MarkerKind;
  readonly id: string;
  readonly camera: string;
  readonly at: number;
  /** Its end, for what lasts. */
  readonly until: number | null;
  readonly text: string;
  /** The server's word for what happened (`motion`, `manual`…); none for bookmarks. */
  readonly what?: string;
}

export interface Bookmark extends Marker {
  readonly kind: "bookmark";
  /** Who wrote it. */
  readonly user: string;
  /** May be changed here. */
  readonly mine: boolean;
}

/** What is known of one camera, from the cache; asking for more is the data's own affair. */
export interface LaneData {
  /** In order, apart from each other. */
  readonly ranges: readonly Span[];
  /** The parts of the span asked for of which anything is known; elsewhere nothing is drawn, neither bar nor gap. */
  readonly known: readonly Span[];
  /** When something moved, where that is known: drawn higher and lighter. */
  readonly movement: readonly Span[];
  /** In order of `at`; lists that did not change stay the same object. */
  readonly markers: readonly Marker[];
  /** The server did not say, and is asked again. */
  readonly failed: boolean;
}

/** What the timeline draws from: `net/recordings.ts` fetches it, tests and `/states` make it up. */
export interface TimelineData {
  /** Counts up whenever something of `lane` may have changed. */
  readonly version: Watched<number>;
  /** Counts up whenever events or bookmarks may have changed: for lists of them. */
  readonly moments: Watched<number>;
  /** What is known now of `span`; fetches what is not, at the resolution of `msPerPx`. */
  lane(camera: string, span: Span, msPerPx: number): LaneData;
  /** The first and the last instant recorded by any of these cameras, as far as known. */
  bounds(cameras: readonly string[]): Span | null;
  /** The nearest event, alarm or bookmark after (`by` 1) or before (-1) an instant.  Null where there is none. */
  neighbour(cameras: readonly string[], at: number, by: 1 | -1): Promise<Marker | null>;
  /** What any of these cameras recorded in a span, with gaps shorter than `resolution` ms closed; asks the server. */
  recorded(cameras: readonly string[], span: Span, resolution: number): Promise<Span[]>;
  /** Everything that happened in a span, in order, for lists. */
  markers(cameras: readonly string[], span: Span): Promise<Marker[]>;
}

export interface SeekHow {
  /** The pointer is still down: more of these follow, and a last one with `false`. */
  readonly dragging: boolean;
}

export interface TimelineProps {
  /** At most nine; the first is the one whose scrub pictures are shown unless the pointer is in another's lane. */
  readonly cameras: readonly LaneCamera[];
  readonly data: TimelineData;
  /** The instant of the picture on screen.  Set it as often as you like; nothing renders. */
  readonly position: Watched<number>;
  /** The server's time. */
  readonly now: () => number;
  /** How much time the width shows, in ms; the zoom buttons, the wheel and the keys all change it. */
  readonly shown: Shared<number>;
  readonly selection: Shared<Span | null>;
  /** IANA name of the zone times are shown in; the browser's own if absent. */
  readonly zone?: string;
  /** Asked for while a pointer hovers or drags; absent: no scrub pictures. */
  readonly scrub?: ScrubSource;
  /** The page sets `position` at once, before the picture has come. */
  readonly onSeek: (utcMs: number, how: SeekHow) => void;
  /** A marker was pressed; by default that is a seek to it. */
  readonly onMarker?: (marker: Marker) => void;
}

/** Where scrub pictures come from: `snapshot.jpg?at=&width=320`. */
export interface ScrubSource {
  /** Rejects where there is no picture or the server does not answer. */
  fetch(camera: string, at: number, signal: AbortSignal): Promise<ScrubPictureData>;
}

export interface ScrubPictureData {
  readonly picture: Blob;
  /** The instant of the picture itself (`X-Picture-Time`), where the server says it. */
  readonly at: number | null;
}

/** Reverse, slow, fast; 0 is no speed: pausing is not a speed. */
export type Speed = -32 | -16 | -8 | -4 | -2 | -1 | 0.125 | 0.25 | 0.5 | 1 | 2 | 4 | 8 | 16 | 32;

export type Gaps = "skip" | "play";

export interface TransportState {
  readonly playing: boolean;
  readonly speed: Speed;
  readonly gaps: Gaps;
  /** What is shown is live. */
  readonly live: boolean;
  /** No picture can be stepped to: live, or nothing recorded here. */
  readonly still?: boolean;
}

export interface TransportProps {
  readonly state: TransportState;
  readonly position: Watched<number>;
  readonly zone?: string;
  readonly onPlay: () => void;
  readonly onPause: () => void;
  readonly onStep: (by: 1 | -1) => void;
  /** To the event before or after. */
  readonly onEvent: (by: 1 | -1) => void;
  readonly onSpeed: (speed: Speed) => void;
  readonly onGaps: (gaps: Gaps) => void;
  readonly onLive: () => void;
  readonly onBookmark?: () => void;
  readonly onSnapshot?: () => void;
  /** The clock was pressed. */
  readonly onGoToTime?: () => void;
  /** What opens from the clock: `<GoToTime>`. */
  readonly children?: ComponentChildren;
}

/** The row below the transport: what the signs mean, and how much time is shown. */
export interface ZoomBarProps {
  readonly shown: Shared<number>;
}

export interface DayPickerProps {
  readonly cameras: readonly LaneCamera[];
  readonly data: TimelineData;
  readonly position: Watched<number>;
  readonly now: () => number;
  readonly zone?: string;
  /** The first instant of the day to show; or, where nothing is recorded then, the nearest recorded one. */
  readonly choose: (utcMs: number) => void;
}

export interface GoToTimeProps {
  /** What a time without a day refers to. */
  readonly position: number;
  readonly now: () => number;
  readonly zone?: string;
  readonly go: (utcMs: number) => void;
  readonly close: () => void;
}

export interface SelectionBarProps {
  readonly selection: Shared<Span | null>;
  readonly cameras: readonly LaneCamera[];
  /** For *Start here* and *End here*. */
  readonly position: Watched<number>;
  readonly now: () => number;
  /** The camera whose recording *Download* takes first: the selected picture. */
  readonly camera?: string;
  readonly zone?: string;
  readonly onBookmark: (span: Span) => void;
  /** *Save as investigation*; absent: not offered. */
  readonly onInvestigation?: (span: Span) => void;
}

export interface BookmarkDraft {
  /** Null: a new one. */
  readonly id: string | null;
  readonly camera: string;
  readonly at: number;
  readonly until: number | null;
  readonly text: string;
}

/** The part of `net/recordings.ts` that reads and changes bookmarks. */
export interface Bookmarks {
  search(query: { readonly cameras?: readonly string[]; readonly span?: Span; readonly text?: string; readonly limit?: number }): Promise<Bookmark[]>;
  save(draft: BookmarkDraft): Promise<Bookmark>;
  remove(id: string): Promise<void>;
  /** Not shown, until it is removed or somebody thinks again. */
  hide(id: string, hidden: boolean): void;
}

export interface BookmarkEditorProps {
  readonly draft: BookmarkDraft;
  readonly cameras: readonly LaneCamera[];
  readonly bookmarks: Bookmarks;
  readonly zone?: string;
  /** With what was saved, or null when given up or removed. */
  readonly close: (saved: Bookmark | null) => void;
}

/** Bookmarks and events, as lists: beside the pictures on a desktop, a sheet on a phone. */
export interface MomentsPanelProps {
  readonly cameras: readonly LaneCamera[];
  readonly data: TimelineData;
  readonly bookmarks: Bookmarks;
  readonly position: Watched<number>;
  readonly now: () => number;
  readonly zone?: string;
  readonly go: (utcMs: number, camera: string) => void;
  readonly edit: (bookmark: Bookmark) => void;
  readonly close: () => void;
}

/** Keys of the page (ui.md §16), from `ui/use-playback-keys.ts`. */
export type PlaybackCommand =
  | "play-pause"
  | "picture-back"
  | "picture-on"
  | "back"
  | "seconds-back"
  | "seconds-on"
  | "previous-event"
  | "next-event"
  | "reverse"
  | "stop"
  | "forward"
  | "slower"
  | "faster"
  | "select-from"
  | "select-to"
  | "bookmark"
  | "investigation"
  | "zoom-in"
  | "zoom-out"
  | "go-to-time"
  | "live"
  | "help"
  | "find"
  | "theme"
  | "fullscreen"
  | "snapshot"
  | "sound"
  | `camera-${number}`;
