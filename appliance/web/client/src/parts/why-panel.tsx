/** Why do I see this?  The way of the picture in measured figures (ui.md §6); they refresh once a second. */

import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import { bestStream, type Camera, type CameraStream } from "../logic/cameras";
import * as format from "../logic/format";
import type { Figures, LivePlayer, PlayerView } from "../player/live-player";
import { copyText } from "../ui/clipboard";
import { IconButton } from "../ui/controls";
import { useSecond, useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { whyText } from "./texts";

interface Station {
  readonly icon: IconName;
  readonly title: string;
  readonly facts: readonly (readonly [string, string])[];
}

function sent(i18n: Translator, stream: CameraStream): [string, string][] {
  const { t } = i18n;
  const facts: [string, string][] = [[t("Stream"), `${stream.name}, ${format.codecName(stream.codec)}`]];
  if (stream.width && stream.height) {
    const rate = stream.fps ? `, ${format.fps(i18n, stream.fps)}` : "";
    facts.push([t("Picture"), `${format.size(stream.width, stream.height)}${rate}`]);
  }
  if (stream.kbps !== null) facts.push([t("Data"), format.rate(i18n, stream.kbps * 125)]);
  return facts;
}

/** The stations of the picture's way, and their measured figures. */
export function stations(i18n: Translator, camera: Camera, view: PlayerView, figures: Figures): Station[] {
  const { t } = i18n;
  const list: Station[] = [];
  const used = camera.streams.find((s) => s.name === view.stream?.stream) ?? bestStream(camera);
  if (used) list.push({ icon: "camera", title: t("Camera sends"), facts: sent(i18n, used) });
  if (view.stream && figures.pictureUtc !== null) {
    const facts: [string, string][] = [];
    const fps = figures.fps > 0 ? `, ${format.fps(i18n, figures.fps)}` : "";
    if (figures.width > 0) facts.push([t("Picture"), `${format.size(figures.width, figures.height)}${fps}`]);
    facts.push([t("Data"), format.rate(i18n, figures.rate)]);
    facts.push([t("Delay in this browser"), format.seconds(i18n, figures.behind, 2)]);
    facts.push([
      t("Lost since {time}", { time: format.shortClock(i18n, figures.since) }),
      figures.skippedTotal > 0 ? format.seconds(i18n, figures.skippedTotal) : t("none"),
    ]);
    list.push({ icon: "screen", title: t("You receive"), facts });
  }
  return list;
}

export function whyAsText(i18n: Translator, camera: Camera, view: PlayerView, figures: Figures): string {
  const why = whyText(i18n, view);
  const lines = [camera.name, new Date().toISOString(), "", why.title, why.detail];
  for (const station of stations(i18n, camera, view, figures)) {
    lines.push("", station.title, ...station.facts.map(([name, value]) => `  ${name}: ${value}`));
  }
  if (view.stream) lines.push("", view.stream.mime);
  lines.push(navigator.userAgent);
  return lines.join("\n");
}

export function WhyPanel({ camera, player, close }: { camera: Camera; player: LivePlayer; close: () => void }) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const view = useStore(player.view);
  useSecond();
  const figures = player.figures(performance.now());
  const why = whyText(i18n, view);
  const copy = async (): Promise<void> => {
    const done = await copyText(whyAsText(i18n, camera, view, player.figures(performance.now())));
    model.toasts.add(done ? "good" : "bad", done ? t("Copied.") : t("The browser does not allow copying here."), undefined, false);
  };
  return (
    <aside class="why" aria-labelledby="why-title" aria-live="off">
      <header class="sheet-head">
        <h2 class="grow" id="why-title">
          {t("Why do I see this?")}
        </h2>
        <IconButton icon="copy" label={t("Copy as text")} onClick={() => void copy()} />
        <IconButton icon="close" label={t("Close")} hint="W" onClick={close} />
      </header>
      <div>
        <p class="lead">{why.title}</p>
        <p class="muted">{why.detail}</p>
      </div>
      <div class="path">
        {stations(i18n, camera, view, figures).map((station, i) => (
          <>
            {i > 0 && (
              <>
                <span key={`line-${station.icon}`} class="ln" />
                <span />
              </>
            )}
            <span key={station.icon} class="nd">
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
    </aside>
  );
}
