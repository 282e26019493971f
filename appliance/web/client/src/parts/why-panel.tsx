/** Why do I see this?  The way of the picture in measured figures (ui.md §6); they refresh once a second. */

import { useEffect, useRef } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { cameraSettingsPath } from "../app/router";
import type { Translator } from "../i18n/translator";
import type { Camera, CameraStream } from "../logic/cameras";
import * as format from "../logic/format";
import type { Figures, LivePlayer, PlayerView } from "../player/live-player";
import { copyText } from "../ui/clipboard";
import { Button, IconButton, Note } from "../ui/controls";
import { useSecond, useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { PageLink } from "./page-link";
import { advice, usedStream, whyText, type Advice, type Reader } from "./why-texts";

interface Station {
  readonly icon: IconName;
  readonly title: string;
  /** Something is changed here. */
  readonly active?: boolean;
  readonly facts: readonly (readonly [string, string])[];
}

function picture(i18n: Translator, width: number, height: number, fps: number | null): string {
  return fps ? `${format.size(width, height)}, ${format.fps(i18n, fps)}` : format.size(width, height);
}

function sent(i18n: Translator, stream: CameraStream): [string, string][] {
  const { t } = i18n;
  const facts: [string, string][] = [[t("Stream"), stream.codec === null ? stream.name : `${stream.name}, ${format.codecName(stream.codec)}`]];
  if (stream.width && stream.height) facts.push([t("Picture"), picture(i18n, stream.width, stream.height, stream.fps)]);
  if (stream.kbps !== null) facts.push([t("Data"), format.rate(i18n, stream.kbps * 125)]);
  return facts;
}

function made(i18n: Translator, view: PlayerView, figures: Figures): Station | null {
  const { t } = i18n;
  const { stream } = view;
  if (!stream || view.phase === "unsupported") return null;
  if (stream.mode === "direct") return { icon: "layers", title: t("Fanal hands on"), facts: [[t("Stream"), t("{name}, unchanged", { name: stream.stream })]] };
  const facts: [string, string][] = [];
  if (stream.width > 0 && stream.height > 0) facts.push([t("Picture"), picture(i18n, stream.width, stream.height, stream.fps)]);
  facts.push([t("Format"), stream.quality ? t("JPEG, quality {quality}", { quality: stream.quality }) : "JPEG"]);
  const { network } = figures;
  const level = stream.level ?? network?.level ?? null;
  if (level !== null) facts.push([t("Level"), stream.level ? t("{level}, which limits this picture", { level }) : String(level)]);
  const reduced = stream.reason === "slow_client" ? t("Reduced for this device") : t("Reduced for the connection");
  if (network && network.step > 0) facts.push([reduced, t("step {step} of {steps}", { step: network.step, steps: network.steps - 1 })]);
  return { icon: "layers", title: t("Fanal makes"), active: true, facts };
}

/** The network, as the server measures it. */
function measured(i18n: Translator, { network }: Figures): [string, string][] {
  const { t } = i18n;
  const facts: [string, string][] = [];
  if (!network) return facts;
  if (network.arrivesKbps !== null) facts.push([t("Throughput, measured by Fanal"), format.rate(i18n, network.arrivesKbps * 125)]);
  if (network.carriesKbps !== null) facts.push([t("Estimated bandwidth"), format.rate(i18n, network.carriesKbps * 125)]);
  if (network.roundTripMs !== null) facts.push([t("Round trip"), format.elapsed(i18n, network.roundTripMs)]);
  if (network.resent !== null) facts.push([t("Retransmitted"), `${format.number(i18n, network.resent * 100, 1)}${format.THIN}%`]);
  return facts;
}

function received(i18n: Translator, view: PlayerView, figures: Figures): Station | null {
  const { t } = i18n;
  if (!view.stream || figures.pictureUtc === null) return null;
  const facts: [string, string][] = [];
  if (figures.width > 0) facts.push([t("Picture"), picture(i18n, figures.width, figures.height, figures.fps)]);
  facts.push([t("Data"), format.rate(i18n, figures.rate)]);
  if (view.stream.mode === "direct") facts.push([t("Delay in this browser"), format.seconds(i18n, figures.behind, 2)]);
  else if (figures.delay !== null) facts.push([t("Delay, by this device’s clock"), format.seconds(i18n, figures.delay, 2)]);
  facts.push(...measured(i18n, figures));
  facts.push([
    t("Lost since {time}", { time: format.shortClock(i18n, figures.since) }),
    figures.skippedTotal > 0 ? format.seconds(i18n, figures.skippedTotal) : t("none"),
  ]);
  return { icon: "screen", title: t("You receive"), facts };
}

/** The stations of the picture's way, and their measured figures; what is not known is not there. */
export function stations(i18n: Translator, camera: Camera, view: PlayerView, figures: Figures): Station[] {
  const used = usedStream(camera, view);
  const first: Station | null = used && { icon: "camera", title: i18n.t("Camera sends"), facts: sent(i18n, used) };
  return [first, made(i18n, view, figures), received(i18n, view, figures)].filter((station) => station !== null);
}

export function whyAsText(i18n: Translator, camera: Camera, view: PlayerView, figures: Figures, reader: Reader): string {
  const why = whyText(i18n, camera, view);
  const lines = [camera.name, new Date().toISOString(), "", why.title, why.detail];
  for (const station of stations(i18n, camera, view, figures)) {
    lines.push("", station.title, ...station.facts.map(([name, value]) => `  ${name}: ${value}`));
  }
  const better = advice(i18n, camera, view, figures, reader);
  if (better.length > 0) lines.push("", i18n.t("For a better picture"), ...better.map((one) => `  ${one.text}`));
  // in the product's own words, for whoever supports it
  const { stream } = view;
  lines.push("", ["phase", view.phase, view.reason, view.own].filter(Boolean).join(" "));
  if (stream) lines.push([stream.mode, stream.stream, stream.reason, stream.cause === stream.reason ? null : stream.cause, stream.mime].filter(Boolean).join(" "));
  lines.push(reader.agent);
  return lines.join("\n");
}

interface PanelProps {
  readonly camera: Camera;
  readonly player: LivePlayer;
  readonly zoomIn: () => void;
  readonly close: () => void;
}

export function WhyPanel({ camera, player, zoomIn, close }: PanelProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const view = useStore(player.view);
  const session = useStore(model.session);
  const panel = useRef<HTMLElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  useSecond();
  useEffect(() => {
    // whoever opened it reads on from here, and goes on from where they were
    const before = document.activeElement;
    const element = panel.current;
    heading.current?.focus();
    return () => {
      const inside = element?.contains(document.activeElement) === true || document.activeElement === document.body;
      if (inside && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  useEffect(() => {
    player.askNetwork(true);
    return () => player.askNetwork(false);
  }, [player]);
  const reader = { administer: session.state === "in" && session.session.administer, agent: navigator.userAgent };
  const figures = player.figures(performance.now());
  const why = whyText(i18n, camera, view);
  const copy = async (): Promise<void> => {
    const done = await copyText(whyAsText(i18n, camera, view, player.figures(performance.now()), reader));
    model.toasts.add(done ? "good" : "bad", done ? t("Copied.") : t("The browser does not allow copying here."), undefined, false);
  };
  return (
    <aside ref={panel} class="why" aria-labelledby="why-title" aria-live="off">
      <header class="sheet-head">
        <h2 ref={heading} class="grow" id="why-title" tabIndex={-1}>
          {t("Why do I see this?")}
        </h2>
        <IconButton icon="copy" label={t("Copy as text")} onClick={() => void copy()} />
        <IconButton icon="close" label={t("Close")} hint="W" onClick={close} />
      </header>
      <div>
        <p class="lead">{why.title}</p>
        <p class="muted">{why.detail}</p>
      </div>
      <Way list={stations(i18n, camera, view, figures)} />
      <Better
        list={advice(i18n, camera, view, figures, reader)}
        settings={cameraSettingsPath(camera.id)}
        zoomIn={zoomIn}
        tryDirect={() => player.tryDirect()}
      />
    </aside>
  );
}

export function Way({ list }: { list: readonly Station[] }) {
  return (
    <div class="path">
      {list.map((station, i) => (
        <>
          {i > 0 && (
            <>
              <span key={`line-${station.icon}`} class="ln" />
              <span />
            </>
          )}
          <span key={station.icon} class={station.active ? "nd on" : "nd"}>
            <Icon name={station.icon} />
          </span>
          <div>
            <h3>{station.title}</h3>
            <dl class="kv">
              {station.facts.map(([name, value]) => (
                <>
                  <dt>{name}</dt>
                  <dd class="num">{value}</dd>
                </>
              ))}
            </dl>
          </div>
        </>
      ))}
    </div>
  );
}

interface BetterProps {
  readonly list: readonly Advice[];
  readonly settings: string;
  readonly zoomIn: () => void;
  readonly tryDirect: () => void;
}

export function Better({ list, settings, zoomIn, tryDirect }: BetterProps) {
  const { t } = useI18n();
  if (list.length === 0) return null;
  return (
    <div class="better">
      <h3>{t("For a better picture")}</h3>
      {list.map((one, i) => (
        <Note key={one.text} kind={i === 0 ? "acc" : ""} icon={one.icon}>
          <span>{one.text}</span>
          {one.act === "settings" && (
            <PageLink class="btn" path={settings}>
              {t("Open camera settings")}
            </PageLink>
          )}
          {one.act === "zoom" && <Button onClick={zoomIn}>{t("Zoom in")}</Button>}
          {one.act === "direct" && <Button onClick={tryDirect}>{t("Try direct video again")}</Button>}
        </Note>
      ))}
    </div>
  );
}
