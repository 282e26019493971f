/** What was recorded (ui.md §7): cameras in step, and the time they are played by.  Loaded on demand. */

import "../styles/playback.css";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { MOST_IN_STEP, playbackPath } from "../app/router";
import { mayHearRecorded, mayListen, mayPlayBack, mayWatch, type Camera } from "../logic/cameras";
import * as format from "../logic/format";
import { Store } from "../logic/store";
import type { BookmarkDraft, LaneCamera, Span } from "../logic/timeline/contract";
import { limitShown } from "../logic/timeline/axis";
import { beginAt, endAt } from "../logic/timeline/selection";
import { faster, forward, reverse, slower } from "../logic/timeline/speeds";
import { HOUR, MINUTE } from "../logic/timeline/zone";
import { CameraPicker } from "../parts/camera-picker";
import { useTheme } from "../parts/language-theme";
import { PageLink } from "../parts/page-link";
import { PlaybackTile } from "../parts/playback-tile";
import { savePicture } from "../parts/snapshot";
import { BookmarkEditor } from "../parts/timeline/bookmark-editor";
import { DayPicker } from "../parts/timeline/day-picker";
import { GoToTime } from "../parts/timeline/go-to-time";
import { MomentsPanel } from "../parts/timeline/moments-panel";
import { SelectionBar } from "../parts/timeline/selection-bar";
import { ARROW_MS, Timeline, ZOOM } from "../parts/timeline/timeline";
import { Transport } from "../parts/timeline/transport";
import { useRecordings } from "../parts/timeline/use-recordings";
import { ZoomBar } from "../parts/timeline/zoom-bar";
import { Playing } from "../player/playing";
import type { Shown } from "../player/stack";
import { EmptyState, IconButton } from "../ui/controls";
import { fullscreenPossible, toggleFullscreen, useFullscreen } from "../ui/fullscreen";
import { useLatest, useMedia, useStore, useTitle } from "../ui/hooks";
import { usePlaybackKeys } from "../ui/use-playback-keys";

/** What the width shows at first. */
const SHOWN_MS = HOUR;
const SHOWN_PHONE_MS = 20 * MINUTE;
/** The address follows when nothing has changed for so long … */
const ADDRESS_MS = 400;
/** … and now and then while it plays. */
const ADDRESS_PLAYING_MS = 5000;

export function PlaybackPage() {
  const model = useModel();
  const { t, tc } = useI18n();
  useStore(model.router.path);
  const { route } = model.router;
  const cameras = useStore(model.cameras);
  const wanted = route.page === "playback" ? route.cameras : [];
  const allowed = (cameras ?? []).filter(mayPlayBack);
  const chosen = wanted.map((id) => cameras?.find((c) => c.id === id)).filter((c) => c !== undefined);
  useTitle(chosen.length === 1 && chosen[0] ? t("{name}, playback", { name: chosen[0].name }) : tc("page", "Playback"));
  useEffect(() => {
    // without cameras in the address: those that were played last, else the one that was opened last, else the first
    if (route.page !== "playback" || chosen.length > 0 || allowed.length === 0 || wanted.length > 0) return;
    const known = (ids: readonly (string | null)[]): string[] => ids.filter((id) => id !== null && allowed.some((c) => c.id === id)) as string[];
    const [last, opened, first] = [known(model.played), known([model.lastCamera]), known([allowed[0]?.id ?? null])];
    model.router.replace(playbackPath(last.length > 0 ? last : opened.length > 0 ? opened : first, route.at));
  });
  if (route.page !== "playback" || cameras === null) return <div class="pb" />;
  if (allowed.length === 0) {
    return (
      <EmptyState page icon="lock" title={t("You may not play back any camera yet.")}>
        <p class="muted">{t("Ask your administrator for the “Playback” right.")}</p>
      </EmptyState>
    );
  }
  if (chosen.length === 0 && wanted.length > 0) {
    return (
      <EmptyState page icon="camera" title={t("This camera is not here any more.")}>
        <PageLink path={playbackPath([], null)} class="btn">
          {tc("page", "Playback")}
        </PageLink>
      </EmptyState>
    );
  }
  return chosen.length === 0 ? <div class="pb" /> : <Deck cameras={chosen} allowed={allowed} at={route.at} />;
}

interface DeckProps {
  readonly cameras: readonly Camera[];
  readonly allowed: readonly Camera[];
  /** Of the address. */
  readonly at: number | null;
}

function Deck({ cameras, allowed, at }: DeckProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const prefs = useStore(model.prefs);
  const phone = useMedia("(max-width: 760px)");
  const whole = useFullscreen();
  const theme = useTheme();
  const ids = cameras.map((c) => c.id);
  const latest = useLatest({ cameras, ids, i18n });
  const playing = useMemo(
    () => new Playing(model.host, () => model.now(), at, prefs.gaps, () => latest.current.cameras.some(mayWatch)),
    [],
  );
  const { sync } = playing;
  const state = useStore(sync.state);
  const data = useRecordings(() => model.now());
  const selection = useMemo(() => new Store<Span | null>(null), []);
  const shown = useMemo(() => new Store(phone ? SHOWN_PHONE_MS : SHOWN_MS), []);
  const [selected, setSelected] = useState<string | null>(null);
  const [sound, setSound] = useState<string | null>(null);
  const [panel, setPanel] = useState<"cameras" | "moments" | "time" | null>(null);
  const [draft, setDraft] = useState<BookmarkDraft | null>(null);
  const lead = cameras.find((c) => c.id === selected) ?? cameras[0];
  const lanes = useMemo<LaneCamera[]>(() => cameras.map((c) => ({ id: c.id, name: c.name, export: c.rights.includes("export") })), [cameras]);

  useEffect(() => () => playing.dispose(), []);
  useLayoutEffect(() => {
    playing.setCameras(ids);
    model.played = ids;
  }, [ids.join()]);
  const may = cameras.map(mayPlayBack).join();
  useLayoutEffect(() => {
    // a right that was taken takes the picture, and one that was given brings it back
    for (const camera of cameras) {
      if (!mayPlayBack(camera)) playing.player(camera.id).deny();
      else if (playing.player(camera.id).view.get().phase === "denied") playing.player(camera.id).allow();
    }
  }, [ids.join(), may]);

  const goTo = useAddress(playing, ids, at);
  useTold(playing);

  // ---- sound ----
  const heard = sound !== null && lanes.some((lane) => lane.id === sound) ? sound : null;
  useEffect(() => {
    for (const id of ids) playing.player(id).setAudio(id === heard && !state.live);
    model.setSound(state.live ? heard : null);
  }, [heard, state.live, ids.join()]);
  useEffect(() => () => model.setSound(null), []);
  const toggleSound = (camera: Camera | undefined): void => {
    if (camera && (state.live ? mayListen(camera) : mayHearRecorded(camera))) setSound(heard === camera.id ? null : camera.id);
  };

  // ---- what a person does ----
  const seek = (utcMs: number, dragging = false): void => sync.seek(utcMs, dragging);
  const show = (next: readonly string[]): void => {
    if (next.length > 0) goTo(playbackPath(next.slice(0, MOST_IN_STEP), state.live ? null : sync.position.get()));
  };
  const toEvent = (by: 1 | -1): void => {
    data.neighbour(ids, sync.position.get(), by).then(
      (marker) => {
        if (marker) seek(marker.at);
        else model.toasts.add("info", by === 1 ? t("No later event.") : t("No earlier event."));
      },
      () => model.toasts.add("bad", t("The server did not answer. Try again.")),
    );
  };
  const snapshot = (): void => {
    if (lead) void shot(state.live ? model.host.player(lead.id) : playing.player(lead.id)).then((picture) => {
      if (picture) savePicture(model, lead, picture, sync.position.get());
      else model.toasts.add("bad", t("No snapshot of {name}: there is no picture here.", { name: lead.name }));
    });
  };
  const bookmark = (span: Span | null): void => {
    if (!lead) return;
    setDraft({ id: null, camera: lead.id, at: span?.from ?? sync.position.get(), until: span?.to ?? null, text: "" });
  };
  usePlaybackKeys(prefs.characterKeys, (command) => {
    switch (command) {
      case "play-pause":
        if (state.playing) sync.pause();
        else sync.play();
        return true;
      case "picture-back":
      case "picture-on":
        if (lead) sync.step(command === "picture-on" ? 1 : -1, lead.id);
        return true;
      case "seconds-back":
      case "seconds-on":
        seek(sync.position.get() + (command === "seconds-on" ? ARROW_MS : -ARROW_MS));
        return true;
      case "previous-event":
      case "next-event":
        toEvent(command === "next-event" ? 1 : -1);
        return true;
      case "reverse":
        sync.setSpeed(reverse(state.speed, state.playing));
        return true;
      case "stop":
        sync.pause();
        return true;
      case "forward":
        sync.setSpeed(forward(state.speed, state.playing));
        return true;
      case "slower":
      case "faster":
        sync.setSpeed(command === "faster" ? faster(state.speed) : slower(state.speed));
        return true;
      case "select-from":
        selection.set(beginAt(selection.get(), sync.position.get(), model.now()));
        return true;
      case "select-to":
        selection.set(endAt(selection.get(), sync.position.get()));
        return true;
      case "bookmark":
        bookmark(null);
        return true;
      case "zoom-in":
      case "zoom-out":
        shown.set(limitShown(command === "zoom-in" ? shown.get() / ZOOM : shown.get() * ZOOM));
        return true;
      case "go-to-time":
        setPanel("time");
        return true;
      case "live":
        sync.goLive();
        return true;
      case "help":
        model.sheet.set("keys");
        return true;
      case "find":
        setPanel("cameras");
        return true;
      case "theme":
        model.prefs.update((p) => ({ ...p, theme: theme === "dark" ? "light" : "dark" }));
        return true;
      case "fullscreen":
        if (fullscreenPossible()) toggleFullscreen();
        return true;
      case "snapshot":
        snapshot();
        return true;
      case "sound":
        toggleSound(lead);
        return true;
      case "back":
        if (selection.get()) selection.set(null);
        else if (panel !== null) setPanel(null);
        else model.router.back("/");
        return true;
      case "investigation":
        return false;
      default: {
        const camera = cameras[Number(command.slice("camera-".length)) - 1];
        if (camera) setSelected(camera.id);
        return camera !== undefined;
      }
    }
  });

  const closePanel = (): void => setPanel(null);
  return (
    <div class={`pb${whole ? " whole" : ""}`}>
      <div class="topbar">
        <h1 class="vh">{i18n.tc("page", "Playback")}</h1>
        <CameraPicker cameras={allowed} chosen={ids} choose={show} open={panel === "cameras"} setOpen={(open) => setPanel(open ? "cameras" : null)} />
        <span class="grow" />
        <DayPicker cameras={lanes} data={data} position={sync.position} now={() => model.now()} choose={(utcMs) => seek(utcMs)} />
        <IconButton icon="bookmark" label={t("Bookmarks and events")} pressed={panel === "moments"} onClick={() => setPanel(panel === "moments" ? null : "moments")} />
        {fullscreenPossible() && (
          <IconButton icon={whole ? "unwhole" : "whole"} label={whole ? t("Leave the whole screen") : t("Whole screen")} hint="F" onClick={toggleFullscreen} />
        )}
      </div>
      <div class="pb-body">
        <section class="pbstage" data-count={Math.min(cameras.length, MOST_IN_STEP)} aria-label={t("Pictures")}>
          {cameras.map((camera, i) => (
            <PlaybackTile
              key={camera.id}
              camera={camera}
              player={playing.player(camera.id)}
              live={state.live}
              selected={camera === lead}
              several={cameras.length > 1}
              small={phone && cameras.length > 2 && (i > 0 || cameras.length === 4)}
              position={() => sync.position.get()}
              select={() => setSelected(camera.id)}
              open={() => show([camera.id])}
              go={(utcMs) => seek(utcMs)}
              sound={heard === camera.id}
              toggleSound={() => toggleSound(camera)}
            />
          ))}
        </section>
        {panel === "moments" && (
          <MomentsPanel
            cameras={lanes}
            data={data}
            bookmarks={data}
            position={sync.position}
            now={() => model.now()}
            go={(utcMs, camera) => {
              seek(utcMs);
              setSelected(camera);
            }}
            edit={(b) => setDraft({ id: b.id, camera: b.camera, at: b.at, until: b.until, text: b.text })}
            close={closePanel}
          />
        )}
      </div>
      <Transport
        state={{ ...state, still: state.live }}
        position={sync.position}
        onPlay={() => sync.play()}
        onPause={() => sync.pause()}
        onStep={(by) => lead && sync.step(by, lead.id)}
        onEvent={toEvent}
        onSpeed={(speed) => sync.setSpeed(speed)}
        onGaps={(gaps) => {
          sync.setGaps(gaps);
          model.prefs.update((p) => ({ ...p, gaps }));
        }}
        onLive={() => sync.goLive()}
        onBookmark={() => bookmark(null)}
        onSnapshot={snapshot}
        onGoToTime={() => setPanel(panel === "time" ? null : "time")}
      >
        {panel === "time" && (
          <GoToTime
            position={sync.position.get()}
            now={() => model.now()}
            go={(utcMs) => {
              seek(utcMs);
              closePanel();
            }}
            close={closePanel}
          />
        )}
      </Transport>
      <ZoomBar shown={shown} />
      <Timeline
        cameras={lanes}
        data={data}
        position={sync.position}
        now={() => model.now()}
        shown={shown}
        selection={selection}
        scrub={data}
        onSeek={(utcMs, { dragging }) => seek(utcMs, dragging)}
      />
      <SelectionBar selection={selection} cameras={lanes} position={sync.position} now={() => model.now()} {...(lead ? { camera: lead.id } : {})} onBookmark={bookmark} />
      {draft && <BookmarkEditor draft={draft} cameras={lanes} bookmarks={data} close={() => setDraft(null)} />}
    </div>
  );
}

/** The address says which cameras and when, and going back to another one goes there. */
function useAddress(playing: Playing, ids: readonly string[], at: number | null): (path: string) => void {
  const model = useModel();
  /** The address that this page stands for; another one is where somebody wants to go. */
  const known = useRef(model.router.path.get());
  const { sync } = playing;
  const address = (): string => playbackPath(ids, sync.state.get().live ? null : sync.position.get());
  const latest = useLatest(address);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | null = null;
    let due = Infinity;
    const write = (): void => {
      timer = null;
      due = Infinity;
      const [path, now] = [latest.current(), model.router.path.get()];
      if (path === now || known.current !== now) return;
      known.current = path;
      model.router.replace(path);
    };
    const changed = (): void => {
      const { playing: plays, live } = sync.state.get();
      const wait = plays && !live ? ADDRESS_PLAYING_MS : ADDRESS_MS;
      const at = performance.now() + wait;
      if (timer !== null && (plays || at >= due + ADDRESS_MS)) return;
      if (timer !== null) clearTimeout(timer);
      due = at;
      timer = setTimeout(write, wait);
    };
    const ends = [sync.position.subscribe(changed), sync.state.subscribe(changed)];
    return () => {
      if (timer !== null) clearTimeout(timer);
      ends.forEach((end) => end());
    };
  }, []);
  const path = useStore(model.router.path);
  useEffect(() => {
    if (known.current === path || model.router.route.page !== "playback") return;
    known.current = path;
    if (at === null) sync.goLive();
    else if (Math.abs(at - sync.position.get()) >= 1) sync.seek(at);
  }, [path]);
  return (wanted) => {
    known.current = wanted;
    model.router.go(wanted);
  };
}

/** What happens by itself is said: to everybody what was jumped over, to a screen reader whether it plays. */
function useTold(playing: Playing): void {
  const model = useModel();
  const i18n = useI18n();
  const latest = useLatest(i18n);
  useEffect(() => {
    const { sync } = playing;
    let before = sync.state.get();
    const ends = [
      sync.skipped.subscribe(() => {
        const skip = sync.skipped.get();
        const now = latest.current;
        if (skip) model.toasts.add("info", now.t("Skipped {time} without recording", { time: format.length(now, skip.to - skip.from) }));
      }),
      sync.state.subscribe(() => {
        const { t } = latest.current;
        const state = sync.state.get();
        if (state.live !== before.live || state.playing !== before.playing) {
          const time = format.clock(latest.current, sync.position.get());
          model.spoken.set(state.live ? latest.current.tc("state", "live") : state.playing ? t("Playing from {time}", { time }) : t("Paused at {time}", { time }));
        }
        before = state;
      }),
    ];
    return () => ends.forEach((end) => end());
  }, []);
}

/** The picture on screen as a file, at its full size. */
async function shot(player: { readonly picture: Shown | null; readonly jpeg: Blob | null }): Promise<Blob | null> {
  if (player.jpeg) return player.jpeg;
  const { picture } = player;
  if (!picture) return null;
  const canvas = document.createElement("canvas");
  canvas.width = picture.width;
  canvas.height = picture.height;
  canvas.getContext("2d")?.drawImage(picture.source, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}
