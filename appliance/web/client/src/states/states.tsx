/**
 * `/states`, in the development build only: every component in every state.  `?theme=light` and `?lang=fr` (or `xx`)
 * choose what pictures of it show.
 */

import "../styles/settings.css";
import "./states.css";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { I18nContext, ModelContext } from "../app/context";
import type { Model } from "../app/model";
import { ENGLISH, loadTranslator } from "../i18n/languages";
import type { Camera } from "../logic/cameras";
import type { TestResult, TestStep, TestStream } from "../logic/camera-admin";
import type { StreamMessage } from "../logic/messages";
import type { Phase } from "../logic/phase";
import { Locked, SignInCard } from "../parts/sign-in-card";
import { CameraPicture } from "../parts/camera-picture";
import { TestOutcome } from "../parts/test-outcome";
import { TileFrame } from "../parts/tile";
import { Better, stations, Way } from "../parts/why-panel";
import { advice, whyText } from "../parts/why-texts";
import type { Figures, PlayerView } from "../player/live-player";
import { Button, EmptyState, ErrorText, Field, IconButton, Note, Segmented, Switch } from "../ui/controls";
import { Icon, Sprite } from "../ui/icons";
import { ToastView } from "../ui/toast-host";
import { PlaybackBench, TimelineCost, TimelineStates } from "./timeline-states";

const CAMERA: Camera = {
  id: "camera", name: "Front gate", site: "Harbour", health: "ok", reason: null, since: null, rights: ["live", "audio"], audio: true, recorded: false, recording: "off", recordingReason: null,
  streams: [{ id: "1", name: "main", codec: "h264", width: 1920, height: 1080, fps: 25, kbps: 4096, advice: [] }],
};
const STREAM: StreamMessage = {
  type: "stream", mode: "direct", mime: 'video/mp4; codecs="avc1.640028"', stream: "main", width: 1920, height: 1080, fps: 25,
  reason: null, utcZero: 0,
};
const VIEW: PlayerView = { phase: "live", reason: null, codec: null, stream: STREAM, own: null, sound: false, slow: false };
const FIGURES: Figures = {
  rate: 512_000, fps: 25, behind: 0.31, delay: null, width: 1920, height: 1080, pictureUtc: Date.now() - 6000, skipped: 0, skippedTotal: 0,
  since: Date.now() - 300_000, nextTryIn: null,
};

/** An H.265 camera, seen in a browser that does not play it. */
const MADE: StreamMessage = { ...STREAM, mode: "transcoded", mime: "image/jpeg", width: 1280, height: 720, fps: 12, reason: "codec" };
const transcoded = (reason: string): Partial<PlayerView> => ({ stream: { ...MADE, reason } });
const MADE_FIGURES = { rate: 310_000, fps: 11.8, behind: 0, delay: 0.42, width: 1280, height: 720 } as const;

interface Case {
  readonly title: string;
  readonly view?: Partial<PlayerView>;
  readonly camera?: Partial<Camera>;
  readonly figures?: Partial<Figures>;
  readonly picture?: boolean;
  readonly selected?: boolean;
  readonly sound?: boolean;
  readonly dim?: "lost" | "waiting";
}

const none = { pictureUtc: null } as const;
const CASES: readonly Case[] = [
  { title: "Connecting", view: { phase: "connecting" }, figures: none, picture: false },
  { title: "Direct" },
  { title: "Direct, selected", selected: true },
  { title: "Recording", camera: { recorded: true, recording: "on" } },
  { title: "Not recording", camera: { recorded: true, recording: "failed", recordingReason: "disk_full" }, sound: true, view: { sound: true } },
  { title: "A name that is much longer than the picture below it is wide, and goes on", selected: true },
  { title: "<b>Not markup</b>" },
  { title: "Transcoded", view: transcoded("codec"), figures: MADE_FIGURES },
  { title: "Transcoded, no direct video", view: transcoded("no_video_10s"), figures: MADE_FIGURES },
  { title: "Still pictures only", view: { ...transcoded("requested"), own: "no_media" }, figures: MADE_FIGURES },
  { title: "Privacy mask", view: transcoded("mask"), figures: MADE_FIGURES },
  { title: "Three chips", view: { ...transcoded("bandwidth"), sound: true }, figures: MADE_FIGURES, sound: true },
  { title: "Skipped", figures: { skipped: 1.2 } },
  { title: "Low bandwidth", view: { slow: true } },
  { title: "Sound on", view: { sound: true }, sound: true },
  { title: "Both", view: { sound: true, slow: true }, sound: true },
  { title: "Waiting", view: { phase: "waiting" }, dim: "waiting" },
  { title: "Waiting for a whole picture", view: { phase: "waiting", reason: "long_gop" }, figures: none, picture: false },
  { title: "Lost", view: { phase: "lost", reason: "timeout" }, dim: "lost" },
  { title: "Lost, password", view: { phase: "lost", reason: "bad_credentials" }, figures: none, picture: false },
  { title: "No connection", view: { phase: "offline" }, figures: { nextTryIn: 4 }, dim: "waiting" },
  { title: "No rights", view: { phase: "denied" }, figures: none, picture: false },
  { title: "Removed", view: { phase: "removed" }, figures: none, picture: false },
  { title: "Too many", view: { phase: "full" }, figures: none, picture: false },
  { title: "Unsupported", view: { phase: "unsupported", reason: "codec", codec: "hvc1.1.6.L120.90" }, figures: none, picture: false },
  { title: "Tap to play", view: { phase: "blocked" as Phase } },
];

const H265: Camera = { ...CAMERA, streams: [{ id: "1", name: "main", codec: "h265", width: 3840, height: 2160, fps: 25, kbps: 5936, advice: [] }] };
const WHYS: readonly (readonly [PlayerView, Figures, Camera])[] = [
  [VIEW, FIGURES, CAMERA],
  [{ ...VIEW, stream: { ...STREAM, reason: "tile_size" } }, FIGURES, CAMERA],
  [{ ...VIEW, ...transcoded("codec") }, { ...FIGURES, ...MADE_FIGURES }, H265],
  [{ ...VIEW, ...transcoded("requested"), own: "not_decoded" }, { ...FIGURES, ...MADE_FIGURES, delay: null }, CAMERA],
  [{ ...VIEW, phase: "lost", reason: "timeout" }, FIGURES, CAMERA],
];

/** Something to look at where there is no camera. */
function Scene({ dim }: { dim: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const g = canvas.current?.getContext("2d");
    if (!g) return;
    const style = getComputedStyle(document.documentElement);
    for (let i = 0; i < 16; i++) {
      g.fillStyle = style.getPropertyValue(["--info", "--accent", "--attn", "--tl-rec"][i % 4] ?? "--bg");
      g.fillRect((i % 4) * 80, Math.floor(i / 4) * 45, 80, 45);
    }
  }, []);
  return (
    <div class="slot">
      <div class="player" data-dim={dim}>
        <canvas ref={canvas} width={320} height={180} />
      </div>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="states-part">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

const step = (name: string, ok = true): TestStep => ({ name, ok, text: ok ? "" : "In the server’s own words.", ms: 40 });
const found = (more: Partial<TestStream>): TestStream => ({
  name: "main", url: "rtsp://192.168.1.21/main", ok: true, code: null, message: "", hint: "", audio: null, notes: [], fingerprint: null, codec: "h264", width: 3840, height: 2160,
  fps: 25, kbps: 6100, gopS: 1, advice: [], steps: ["connect", "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "picture"].map((name) => step(name)), ...more,
});
const test = (...streams: TestStream[]): TestResult => ({ ok: streams.every((s) => s.ok), name: "", host: "192.168.1.21", streams, picture: null });
const TESTS: readonly TestResult[] = [
  test(found({ gopS: 2, advice: [{ about: "gop", measured: 2, atLeast: false }] }), found({ name: "sub", width: 640, height: 360, kbps: 400 })),
  test(found({ ok: false, code: "bad_credentials", steps: [step("connect"), step("OPTIONS"), step("DESCRIBE", false)] })),
  test(found({ ok: false, code: "bad_credentials", steps: [step("connect"), step("OPTIONS"), step("DESCRIBE", false)] })),
  test(found({ ok: false, code: "refused", steps: [step("connect", false)] })),
  test(found({ ok: false, code: "timeout", steps: [step("connect"), step("OPTIONS"), step("DESCRIBE"), step("SETUP"), step("PLAY"), step("picture", false)] })),
  test(found({ url: "rtsp://gate.lan/main", ok: false, code: "timeout", steps: [step("name", false)] })),
  ...["5F", "0C"].map((byte) =>
    test(found({ ok: false, code: "refused", fingerprint: Array(32).fill(byte).join(":"), steps: [step("connect"), step("TLS", false)] })),
  ),
  test(found({}), found({ name: "sub", ok: false, code: "not_found", steps: [step("connect"), step("OPTIONS"), step("DESCRIBE", false)] })),
];

const WIDTHS = [352, 200, 128] as const;

export function States({ model }: { model: Model }) {
  const query = new URLSearchParams(window.location.search);
  const [language, setLanguage] = useState(query.get("lang") ?? "en");
  const [theme, setTheme] = useState(query.get("theme") ?? "dark");
  const [i18n, setI18n] = useState(ENGLISH);
  const [text, setText] = useState("lea.martin");
  const [on, setOn] = useState(true);
  useEffect(() => {
    void loadTranslator(language).then(setI18n);
  }, [language]);
  useLayoutEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    document.documentElement.lang = language === "xx" ? "en" : language;
    document.title = "States – Fanal";
  }, [theme, language]);
  const part = query.get("part");
  if (part === "timeline" || part === "cost") {
    return (
      <ModelContext.Provider value={model}>
        <I18nContext.Provider value={i18n}>
          <Sprite />
          <main>
            <h1 class="vh">Timeline</h1>
            {part === "timeline" ? <PlaybackBench /> : <TimelineCost />}
          </main>
        </I18nContext.Provider>
      </ModelContext.Provider>
    );
  }
  const nothing = (): void => undefined;
  const figures = (more?: Partial<Figures>): Figures => ({ ...FIGURES, ...more });
  return (
    <ModelContext.Provider value={model}>
      <I18nContext.Provider value={i18n}>
        <Sprite />
        <main class="states">
          <header class="row wrap">
            <h1 class="grow">Every state</h1>
            <Segmented label="Theme" value={theme} options={["dark", "light"].map((v) => ({ value: v, label: v }))} choose={setTheme} />
            <Segmented label="Language" value={language} options={["en", "fr", "xx"].map((v) => ({ value: v, label: v }))} choose={setLanguage} />
          </header>
          {WIDTHS.map((width) => (
            <Section key={width} title={`Tiles, ${width} px`}>
              <div class="states-tiles">
                {CASES.map((c) => (
                  <div key={c.title} class="states-tile" style={{ width: `${width}px`, height: `${(width * 9) / 16}px` }}>
                    <TileFrame
                      camera={{ ...CAMERA, ...c.camera, name: c.title }}
                      rect={{ x: 0, y: 0, w: width, h: (width * 9) / 16 }}
                      size={width > 340 ? "l" : width < 140 ? "xs" : "s"}
                      view={{ ...VIEW, ...c.view }}
                      selected={false}
                      reachable
                      details={c.selected ?? c.figures !== undefined}
                      sound={c.sound ?? false}
                      wanted={c.sound ?? false}
                      figures={() => figures(c.figures)}
                      everySecond={() => nothing}
                      onFocus={nothing}
                      slot={c.picture === false ? <div class="slot" /> : <Scene dim={c.dim ?? ""} />}
                      actions={{ open: nothing, snapshot: nothing, sound: nothing, unblock: nothing, retry: nothing }}
                    />
                  </div>
                ))}
              </div>
            </Section>
          ))}
          <Section title="Sign in">
            <div class="row wrap top-aligned">
              <SignInCard ended={null} />
              <SignInCard ended="lea.martin" />
              <div class="card door-card">
                <Locked until={Date.now() + 760_000} />
                <ErrorText text={i18n.t("User name or password is not right.")} />
              </div>
            </div>
          </Section>
          <Section title="Controls">
            <div class="row wrap">
              <Button kind="primary">Primary</Button>
              <Button>Plain</Button>
              <Button kind="line">Line</Button>
              <Button kind="quiet">Quiet</Button>
              <Button kind="primary" disabled>
                Disabled
              </Button>
              <IconButton icon="info" label="Info" />
              <IconButton icon="info" label="Info" pressed />
              <IconButton icon="left" label="Left" disabled />
            </div>
            <div class="states-column">
              <Field label="Field" name="a" autocomplete="off" value={text} change={setText} hint="A hint below it." />
              <Field label="Wrong" name="b" autocomplete="off" value={text} change={setText} error="Too short. Enter at least 12 characters." />
              <Field label="Secret" name="c" autocomplete="off" secret value={text} change={setText} />
              <Switch label="Switch" hint="What it does." on={on} change={setOn} />
              <Note icon="info">A note.</Note>
              <Note kind="bad" icon="lock">
                A bad note.
              </Note>
            </div>
          </Section>
          <Section title="Tests of a camera">
            <div class="row wrap top-aligned">
              {TESTS.map((result, i) => (
                <aside key={i} class="card ed states-column">
                  <CameraPicture camera={null} lost={false} picture={null} busy={i === 0} />
                  <div class="bd">
                    <TestOutcome result={result} signedIn={i !== 1} pinned={result.streams[0]?.fingerprint?.startsWith("0C") ?? false} trust={() => undefined} />
                  </div>
                </aside>
              ))}
            </div>
          </Section>
          <Section title="Timeline">
            <TimelineStates />
          </Section>
          <Section title="Toasts">
            <div class="col">
              <ToastView toast={{ id: 1, kind: "good", text: i18n.t("Snapshot of {name} saved.", { name: "Front gate" }), stays: true, shownMs: 0, action: { label: i18n.t("Open"), run: nothing } }} close={nothing} act={nothing} />
              <ToastView toast={{ id: 2, kind: "bad", text: i18n.t("The server did not answer. You are still signed in."), stays: true, shownMs: 0 }} close={nothing} act={nothing} />
              <ToastView toast={{ id: 3, kind: "info", text: i18n.t("Copied."), stays: true, shownMs: 0 }} close={nothing} act={nothing} />
            </div>
          </Section>
          <Section title="Banners">
            <div class="banner">
              <Icon name="retry" />
              <span class="grow">
                <b>{i18n.t("Connection lost.")}</b> {i18n.t("Trying again…")}
              </span>
              <Button kind="line">{i18n.t("Try now")}</Button>
            </div>
            <div class="banner good">
              <Icon name="check" />
              <span class="grow">{i18n.t("Connected again")}</span>
            </div>
          </Section>
          <Section title="Why">
            <div class="row wrap top-aligned">
              {WHYS.map(([view, shown, sends], i) => (
                <div key={i} class="card door-card why-card">
                  <p class="lead">{whyText(i18n, sends, view).title}</p>
                  <p class="muted">{whyText(i18n, sends, view).detail}</p>
                  <Way list={stations(i18n, sends, view, shown)} />
                  <Better list={advice(i18n, sends, view, shown, { administer: true, agent: "" })} settings="/" zoomIn={nothing} tryDirect={nothing} />
                </div>
              ))}
            </div>
          </Section>
          <Section title="Empty">
            <EmptyState icon="camera" title={i18n.t("No cameras yet.")}>
              <code class="command">fanal camera add NAME rtsp://…</code>
            </EmptyState>
          </Section>
        </main>
      </I18nContext.Provider>
    </ModelContext.Provider>
  );
}
