/** The grid of tiles: lays them out, moves between them, and listens to fingers. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Camera } from "../logic/cameras";
import { formOf } from "../logic/form";
import { gridLayout, pinchColumns, type Form, type GridLayout } from "../logic/grid";
import { useGestures } from "../ui/gestures";
import { useLatest, useStore } from "../ui/hooks";
import { Tile } from "./tile";

interface GridProps {
  readonly cameras: readonly Camera[];
  readonly selected: string | null;
  readonly select: (camera: string) => void;
  readonly open: (camera: Camera) => void;
  readonly page: number;
  readonly turn: (by: number) => void;
  /** The layout in force, for the keys and for the pages below. */
  readonly laidOut: (layout: GridLayout, form: Form) => void;
  readonly tapped: () => void;
}

interface Box {
  readonly width: number;
  readonly height: number;
  readonly gap: number;
  readonly form: Form;
}

export function Grid(props: GridProps) {
  const { cameras, selected, select, open, page } = props;
  const model = useModel();
  const { t } = useI18n();
  const prefs = useStore(model.prefs);
  const wrap = useRef<HTMLDivElement>(null);
  const [box, setBox] = useState<Box | null>(null);

  useLayoutEffect(() => {
    const element = wrap.current;
    if (!element) return undefined;
    const measure = (): void => {
      const style = getComputedStyle(element);
      const width = element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      const height = element.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
      const gap = parseFloat(style.getPropertyValue("--gap")) || 4;
      const touch = matchMedia("(pointer: coarse)").matches;
      const form = formOf({ width: window.innerWidth, height: window.innerHeight, touch });
      setBox((before) =>
        before && before.width === width && before.height === height && before.gap === gap && before.form === form
          ? before
          : { width, height, gap, form },
      );
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const columns = box?.form === "portrait" ? prefs.portraitColumns : box?.form === "landscape" ? prefs.landscapeColumns : null;
  const layout = box ? gridLayout({ count: cameras.length, ...box, choice: prefs.choice, columns, page }) : null;
  const latest = useLatest({ layout, box, columns, props });

  useEffect(() => {
    if (layout && box) props.laidOut(layout, box.form);
  }, [layout?.page, layout?.pages, layout?.first, layout?.tiles.length, box]);

  useGestures(wrap, (gesture, target) => {
    const { current } = latest;
    const tile = target?.closest<HTMLElement>("[data-camera]");
    const camera = current.props.cameras.find((c) => c.id === tile?.dataset["camera"]);
    switch (gesture.kind) {
      case "tap":
      case "long":
        if (camera) {
          current.props.select(camera.id);
          tile?.focus({ preventScroll: true });
        }
        current.props.tapped();
        break;
      case "double":
        if (camera) current.props.open(camera);
        break;
      case "swipe":
        if (gesture.direction === "left") current.props.turn(1);
        if (gesture.direction === "right") current.props.turn(-1);
        break;
      case "pinch-end": {
        const form = current.box?.form;
        if (form !== "portrait" && form !== "landscape") break;
        const tiles = current.layout?.tiles ?? [];
        const now = current.columns ?? Math.max(1, new Set(tiles.map((rect) => rect.x)).size);
        const next = pinchColumns(now, gesture.scale, form);
        if (next !== now) {
          model.prefs.update((p) => (form === "portrait" ? { ...p, portraitColumns: next } : { ...p, landscapeColumns: next }));
        }
        break;
      }
    }
  });

  const here = layout ? cameras.slice(layout.first, layout.first + layout.tiles.length) : [];
  const focusable = here.some((c) => c.id === selected) ? selected : (here[0]?.id ?? null);
  return (
    <div ref={wrap} class="gridwrap" data-form={box?.form}>
      <section class="grid" aria-label={t("Cameras")} style={{ height: `${layout?.height ?? 0}px` }}>
        {here.map((camera, i) => {
          const rect = layout?.tiles[i];
          return rect ? (
            <Tile
              key={camera.id}
              camera={camera}
              rect={rect}
              selected={camera.id === selected}
              reachable={camera.id === focusable}
              details={prefs.details}
              open={() => open(camera)}
              select={() => select(camera.id)}
            />
          ) : null;
        })}
      </section>
    </div>
  );
}
