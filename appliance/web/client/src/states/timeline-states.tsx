/** The timeline and what stands round it, in every state.  `/states?part=timeline` shows it as the page will. */

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useI18n } from "../app/context";
import type { Span, Speed, TransportState } from "../logic/timeline/contract";
import { Times } from "../logic/timeline/times";
import { DAY, HOUR, SECOND, Zone } from "../logic/timeline/zone";
import { Store } from "../logic/store";
import { BookmarkForm } from "../parts/timeline/bookmark-editor";
import { TimelineController } from "../parts/timeline/controller";
import { DayPicker, MonthView } from "../parts/timeline/day-picker";
import { DownloadList } from "../parts/timeline/download";
import { GoToTimeForm, GoToTime } from "../parts/timeline/go-to-time";
import { MomentsPanel } from "../parts/timeline/moments-panel";
import { SelectionBar } from "../parts/timeline/selection-bar";
import { Timeline } from "../parts/timeline/timeline";
import { SpeedChoice, Transport } from "../parts/timeline/transport";
import { ZoomBar } from "../parts/timeline/zoom-bar";
import { at, CAMERAS, MADE_NOW, MadeRecordings, NINE, ZONE } from "./made-recordings";

const nothing = (): void => undefined;
const now = (): number => MADE_NOW;
const POSITION = at(14, 18, 36, 240);
const SELECTED: Span = { from: at(14, 16, 12), to: at(14, 22, 48) };
const STATE: TransportState = { playing: true, speed: 1, gaps: "skip", live: false };

/** As the page has it, with a clock that goes if it plays. */
export function PlaybackBench() {
  const [data] = useState(() => new MadeRecordings());
  const [position] = useState(() => new Store(POSITION));
  const [shown] = useState(() => new Store(window.innerWidth <= 760 ? 20 * 60 * SECOND : HOUR));
  const [selection] = useState(() => new Store<Span | null>(SELECTED));
  const [state, setState] = useState<TransportState>({ ...STATE, playing: false });
  const [going, setGoing] = useState(false);
  useEffect(() => {
    if (!state.playing) return undefined;
    const timer = setInterval(() => position.update((p) => Math.min(MADE_NOW, p + 40 * state.speed)), 40);
    return () => clearInterval(timer);
  }, [state.playing, state.speed]);
  return (
    <div class="bench">
      <div class="topbar">
        <span class="grow" />
        <DayPicker cameras={CAMERAS} data={data} position={position} now={now} zone={ZONE} choose={(p) => position.set(p)} />
      </div>
      <div class="bench-stage" />
      <Transport
        state={state}
        position={position}
        zone={ZONE}
        onPlay={() => setState({ ...state, playing: true })}
        onPause={() => setState({ ...state, playing: false })}
        onStep={(by) => position.update((p) => p + 40 * by)}
        onEvent={nothing}
        onSpeed={(speed) => setState({ ...state, speed })}
        onGaps={(gaps) => setState({ ...state, gaps })}
        onLive={() => position.set(MADE_NOW)}
        onBookmark={nothing}
        onSnapshot={nothing}
        onGoToTime={() => setGoing(!going)}
      >
        {going && <GoToTime position={position.get()} now={now} zone={ZONE} go={(p) => position.set(p)} close={() => setGoing(false)} />}
      </Transport>
      <ZoomBar shown={shown} />
      <Timeline cameras={CAMERAS} data={data} position={position} now={now} shown={shown} selection={selection} zone={ZONE} scrub={data} onSeek={(p) => position.set(p)} />
      <SelectionBar selection={selection} cameras={CAMERAS} position={position} now={now} zone={ZONE} onBookmark={nothing} onInvestigation={nothing} />
    </div>
  );
}

interface CaseProps {
  readonly how?: ConstructorParameters<typeof MadeRecordings>[0];
  readonly cameras?: typeof CAMERAS;
  readonly ms?: number;
  readonly position?: number;
  readonly selection?: Span | null;
  readonly until?: number;
}

function Case({ how = "some", cameras = CAMERAS, ms = HOUR, position = POSITION, selection = null, until = MADE_NOW }: CaseProps) {
  const [data] = useState(() => new MadeRecordings(how));
  const [where] = useState(() => new Store(position));
  const [shown] = useState(() => new Store(ms));
  const [selected] = useState(() => new Store<Span | null>(selection));
  const [clock] = useState(() => () => until);
  return <Timeline cameras={cameras} data={data} position={where} now={clock} shown={shown} selection={selected} zone={ZONE} scrub={data} onSeek={(p) => where.set(p)} />;
}

const ONE = CAMERAS.slice(0, 1);
const CHANGE = Date.UTC(2025, 9, 26, 1); // the clock goes back

export function TimelineStates() {
  const { t } = useI18n();
  const [data] = useState(() => new MadeRecordings());
  const [position] = useState(() => new Store(POSITION));
  const [selection] = useState(() => new Store<Span | null>(SELECTED));
  const [none] = useState(() => new Store<Span | null>(null));
  const [speed, setSpeed] = useState<Speed>(8);
  const [shown] = useState(() => new Store(HOUR));
  const transport = { position, zone: ZONE, onPlay: nothing, onPause: nothing, onStep: nothing, onEvent: nothing, onSpeed: nothing, onGaps: nothing, onLive: nothing, onBookmark: nothing, onSnapshot: nothing, onGoToTime: nothing };
  const common = { cameras: CAMERAS, data, position, now, zone: ZONE };
  const draft = { id: "b1", camera: "1", at: SELECTED.from, until: SELECTED.to, text: t("Bookmark") };
  return (
    <>
      <div class="states-wide">
        <Transport state={STATE} {...transport} />
        <Transport state={{ ...STATE, playing: false, speed: 8 }} {...transport} />
        <Transport state={{ ...STATE, live: true, still: true }} {...transport} />
        <ZoomBar shown={shown} />
        <Case selection={SELECTED} />
        <Case cameras={NINE} ms={DAY} />
        <Case cameras={ONE} ms={30 * SECOND} />
        <Case ms={30 * DAY} />
        <Case ms={6 * HOUR} position={CHANGE} until={CHANGE + DAY} />
        <Case how="none" />
        <Case how="failed" cameras={ONE} />
        <SelectionBar selection={selection} cameras={CAMERAS} position={position} now={now} zone={ZONE} onBookmark={nothing} onInvestigation={nothing} />
        <SelectionBar selection={none} cameras={CAMERAS} position={position} now={now} zone={ZONE} onBookmark={nothing} />
      </div>
      <div class="row wrap top-aligned states-cards">
        <div class="card pop-body">
          <SpeedChoice speed={speed} gaps="skip" onSpeed={setSpeed} onGaps={nothing} />
        </div>
        <div class="card pop-body">
          <MonthView {...common} choose={nothing} />
        </div>
        {["", "yesterday 9", "soon", "25/10/2025 2:30", "26/10/2025 2:30"].map((typed) => (
          <div key={typed} class="card pop-body">
            <GoToTimeForm position={POSITION} now={now} zone={ZONE} go={nothing} close={nothing} typed={typed} />
          </div>
        ))}
        <div class="card pop-body">
          <DownloadList cameras={CAMERAS} span={SELECTED} />
        </div>
        <div class="card pop-body">
          <DownloadList cameras={CAMERAS.slice(2)} span={SELECTED} />
        </div>
        <div class="card pop-body states-column">
          <BookmarkForm draft={{ ...draft, id: null, until: null, text: "" }} cameras={CAMERAS} bookmarks={data} zone={ZONE} close={nothing} />
        </div>
        <div class="card pop-body states-column">
          <BookmarkForm draft={draft} cameras={CAMERAS} bookmarks={data} zone={ZONE} close={nothing} />
        </div>
        {(["events", "bookmarks"] as const).map((first) => (
          <div key={first} class="card states-list">
            <MomentsPanel {...common} bookmarks={data} go={nothing} edit={nothing} close={nothing} first={first} />
          </div>
        ))}
      </div>
    </>
  );
}

const FRAMES = 90;

/** How long nine lanes of a day take to draw: `/states?part=cost`. */
export function TimelineCost() {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const i18n = useI18n();
  const [said, setSaid] = useState("");
  const inputs = useMemo(() => {
    const position = new Store(MADE_NOW - DAY / 2);
    const words = { now: "Now", noRecording: "No recording", failed: "", wholeDay: "Whole day", everything: "" };
    return {
      cameras: NINE, data: new MadeRecordings("much"), position, now, shown: new Store(DAY), selection: new Store<Span | null>(SELECTED), words, middle: false,
      times: new Times(i18n, new Zone(ZONE)), onSeek: nothing,
    };
  }, []);
  useEffect(() => {
    if (!canvas.current || !box.current) return undefined;
    const timeline = new TimelineController(canvas.current, box.current, inputs);
    const g = canvas.current.getContext("2d");
    const costs: number[] = [];
    const whole: number[] = [];
    let frame = requestAnimationFrame(function next() {
      // the canvas is drawn when somebody looks: reading a pixel is looking
      const before = performance.now();
      g?.getImageData(0, 0, 1, 1);
      costs.push(timeline.cost);
      whole.push(timeline.cost + performance.now() - before);
      if (costs.length === FRAMES) {
        const of = (list: readonly number[]): string => {
          const sorted = list.slice(10).sort((a, b) => a - b);
          const at = (part: number): string => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(2);
          return `median ${at(0.5)} ms, 95 % ${at(0.95)} ms`;
        };
        setSaid(`on the page's thread: ${of(costs)}; with the pixels read back: ${of(whole)}`);
        return;
      }
      // draws in the next frame, before this is called again
      timeline.pan(1);
      frame = requestAnimationFrame(next);
    });
    return () => {
      cancelAnimationFrame(frame);
      timeline.end();
    };
  }, []);
  return (
    <div class="bench">
      <div class="tl" ref={box}>
        <canvas ref={canvas} role="img" aria-label="Cost" />
      </div>
      <p class="cost">{said}</p>
    </div>
  );
}
