/** The controls of the digital zoom, and the small overview that shows which part is seen. */

import { useEffect, useRef } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import { MOST_ZOOM, part, type Zoom } from "../logic/zoom";
import type { LivePlayer } from "../player/live-player";
import { Icon } from "../ui/icons";

interface ZoomProps {
  readonly zoom: Zoom;
  readonly by: (factor: number) => void;
  readonly reset: () => void;
}

export function ZoomControls({ zoom, by, reset }: ZoomProps) {
  const i18n = useI18n();
  const { t } = i18n;
  return (
    <div class="zoomer" role="group" aria-label={t("Zoom")}>
      <button type="button" aria-label={t("Zoom in")} title={`${t("Zoom in")} (+)`} disabled={zoom.scale >= MOST_ZOOM} onClick={() => by(1.5)}>
        <Icon name="plus" />
      </button>
      <button type="button" class="num" title={t("Whole picture")} onClick={reset}>
        {format.number(i18n, zoom.scale, 1)}×<span class="vh"> {t("Whole picture")}</span>
      </button>
      <button type="button" aria-label={t("Zoom out")} title={`${t("Zoom out")} (-)`} disabled={zoom.scale <= 1} onClick={() => by(1 / 1.5)}>
        <Icon name="minus" />
      </button>
    </div>
  );
}

const WIDTH = 176;

/** The whole picture, small, redrawn once a second; the part that is seen is framed. */
export function Overview({ zoom, player }: { zoom: Zoom; player: LivePlayer }) {
  const model = useModel();
  const { t } = useI18n();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const draw = (): void => {
      const picture = player.picture;
      const element = canvas.current;
      if (!picture || !element) return;
      const height = Math.round((WIDTH * picture.height) / picture.width);
      if (element.width !== WIDTH) element.width = WIDTH;
      if (element.height !== height) element.height = height;
      element.getContext("2d")?.drawImage(picture.source, 0, 0, WIDTH, height);
    };
    draw();
    return model.host.onSecond(draw);
  }, [player]);
  const seen = part(zoom);
  const percent = (value: number): string => `${(value * 100).toFixed(2)}%`;
  return (
    <div class="overview" role="img" aria-label={t("The part of the picture that is seen")}>
      <canvas ref={canvas} />
      <i style={{ left: percent(seen.left), top: percent(seen.top), width: percent(seen.size), height: percent(seen.size) }} />
    </div>
  );
}
