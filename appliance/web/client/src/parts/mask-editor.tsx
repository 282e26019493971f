/**
 * The privacy mask of a camera (features TRA-4): areas are drawn on its picture, by drag, by keys or by numbers.  The
 * picture is the administrator's own, who sees everything; what is drawn here is black for everybody else.
 */

import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import type { AdminCamera } from "../logic/camera-admin";
import {
  FEWEST_POINTS, hasRoom, insertPoint, isInside, maskBody, middle, MOST_AREAS, moveArea, movePoint, parseMask, point, rectangle, removeArea, removePoint, replaceArea, sameMask,
  showMask, type Area, type Mask, type MaskPoint,
} from "../logic/mask";
import { AdminApi } from "../net/admin";
import { ApiError } from "../net/api";
import { Button, ErrorText, Field, IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";
import { Sheet } from "../ui/sheet";
import { snapshotPath } from "./camera-picture";
import { refusal } from "./camera-words";

const WIDTH = 1280;
/** Arrow keys move by so much of the picture; with Shift by a tenth of that. */
const STEP = 0.01;
const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MIDDLE_BOX: Area = [point(0.375, 0.375), point(0.625, 0.375), point(0.625, 0.625), point(0.375, 0.625)];

/** What the pointer that is down does.  `from`: where it was last, or began. */
type Drag =
  | { readonly kind: "draw"; readonly from: MaskPoint }
  | { readonly kind: "area"; readonly area: number; readonly from: MaskPoint }
  | { readonly kind: "point"; readonly area: number; readonly point: number };

/** What the editor of a camera shows of its mask. */
export function MaskRow({ mask, edit }: { mask: Mask; edit: () => void }) {
  const { t, tc, tn } = useI18n();
  return (
    <div class="field">
      <span class="lab">{t("Privacy mask")}</span>
      <div class="row set-secret">
        <span class={mask.length > 0 ? "chip acc" : "chip"}>
          <Icon name="mask" />
          {mask.length > 0 ? tn("{n} area", "{n} areas", mask.length) : tc("mask", "None")}
        </span>
        <Button kind="quiet" onClick={edit}>
          {t("Edit the mask")}
        </Button>
      </div>
      <p class="hint">{t("Black for everybody without the “Unmasked” right. Administrators see everything.")}</p>
    </div>
  );
}

interface EditorProps {
  readonly camera: AdminCamera;
  readonly lost: boolean;
  readonly done: (camera: AdminCamera) => void;
  readonly close: () => void;
}

export function MaskEditor({ camera, lost, done, close }: EditorProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const [mask, setMask] = useState<Mask>(camera.mask);
  const [selected, setSelected] = useState(0);
  /** The point that was used last, of the area that is selected. */
  const [chosen, setChosen] = useState<number | null>(null);
  const [drawn, setDrawn] = useState<Area | null>(null);
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  const [saving, setSaving] = useState(false);
  const [asking, setAsking] = useState(false);
  const [taken, setTaken] = useState(0);
  const [broken, setBroken] = useState(lost);
  const stage = useRef<HTMLDivElement>(null);
  const drag = useRef<Drag | null>(null);
  const focusNext = useRef<string | null>(null);
  const dirty = !sameMask(mask, camera.mask);
  const area = mask[selected];
  const full = !hasRoom(mask, 1);

  useLayoutEffect(() => {  // before the next key, which is for that one
    if (focusNext.current === null) return;
    stage.current?.querySelector<HTMLElement>(`[data-handle="${focusNext.current}"]`)?.focus();
    focusNext.current = null;
  });

  // several moves of the pointer come before the page is drawn again
  const held = useRef(mask);
  const put = (next: Mask): void => {
    held.current = next;
    setMask(next);
  };
  const change = (next: Mask): void => {
    put(next);
    setTyped(null);
    setFault(null);
    setAsking(false);
  };
  const add = (what: Area): void => {
    if (mask.length >= MOST_AREAS || !hasRoom(mask, what.length)) {
      setFault(t("A mask has at most 64 areas, with 512 points together."));
      return;
    }
    const last = held.current.length;
    change([...held.current, what]);
    select(last);
    focusNext.current = `${last}-0`;
  };
  /** Whether there was room for it. */
  const addPoint = (at: number, behind: number): boolean => {
    const one = held.current[at];
    if (!one || full) return false;
    change(replaceArea(held.current, at, insertPoint(one, behind)));
    return true;
  };
  const select = (which: number): void => {
    if (which !== selected) setChosen(null);
    setSelected(which);
  };
  const dropPoint = (at: number, which: number): void => {
    const one = mask[at];
    if (!one) return;
    const left = removePoint(one, which);
    change(replaceArea(mask, at, left));
    focusNext.current = `${at}-${Math.min(which, left.length - 1)}`;
  };
  const dropArea = (): void => {
    change(removeArea(mask, selected));
    setChosen(null);
    setSelected(Math.max(0, selected - 1));
    stage.current?.focus();
  };

  // ---- the pointer ----
  const place = (e: PointerEvent): MaskPoint => {
    const box = stage.current?.getBoundingClientRect();
    if (!box || box.width === 0 || box.height === 0) return point(0, 0);
    return point((e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height);
  };
  const down = (e: PointerEvent): void => {
    if (e.button !== 0 || drag.current !== null) return;
    const at = place(e);
    const taken = handleOf(e);
    if (taken !== null) {
      if (taken.between) {
        if (!addPoint(taken.area, taken.point)) return;
        drag.current = { kind: "point", area: taken.area, point: taken.point + 1 };
      } else drag.current = { kind: "point", area: taken.area, point: taken.point };
      setChosen(drag.current.point);
    } else {
      const hit = [selected, ...held.current.keys()].find((n) => isInside(held.current[n] ?? [], at));
      drag.current = hit === undefined ? { kind: "draw", from: at } : { kind: "area", area: hit, from: at };
      if (hit !== undefined) select(hit);
    }
    stage.current?.setPointerCapture(e.pointerId);
  };
  const move = (e: PointerEvent): void => {
    const now = drag.current;
    if (now === null) return;
    const at = place(e);
    const one = now.kind === "draw" ? undefined : held.current[now.area];
    if (now.kind === "draw") setDrawn(rectangle(now.from, at));
    else if (one && now.kind === "point") change(replaceArea(held.current, now.area, movePoint(one, now.point, at)));
    else if (one && now.kind === "area") {
      const moved = moveArea(one, at.x - now.from.x, at.y - now.from.y);
      const [a, b] = [one[0], moved[0]];
      change(replaceArea(held.current, now.area, moved));
      // held back at an edge, it follows again once the pointer is where it was taken
      if (a && b) drag.current = { ...now, from: point(now.from.x + b.x - a.x, now.from.y + b.y - a.y) };
    }
  };
  const up = (e: PointerEvent): void => {
    const whole = drag.current?.kind === "draw" ? rectangle(drag.current.from, place(e)) : null;
    if (whole !== null) add(whole);
    if (drag.current?.kind === "point") focusNext.current = `${drag.current.area}-${drag.current.point}`;
    drag.current = null;
    setDrawn(null);
  };
  const cancel = (): void => {
    drag.current = null;
    setDrawn(null);
  };

  // ---- keys ----
  const key = (e: KeyboardEvent): void => {
    const on = handleOf(e);
    const one = on === null || on.between ? undefined : mask[on.area];
    const from = on === null ? undefined : one?.[on.point];
    if (on === null || !one || !from) return;
    const arrow = ARROWS[e.key];
    if (arrow) {
      const by = e.shiftKey ? STEP / 10 : STEP;
      change(replaceArea(mask, on.area, movePoint(one, on.point, point(from.x + arrow[0] * by, from.y + arrow[1] * by))));
      e.preventDefault();
    } else if (e.key === "Delete" || e.key === "Backspace") {
      dropPoint(on.area, on.point);
      e.preventDefault();
    }
  };

  // ---- saving ----
  const save = async (): Promise<void> => {
    const meant = typed === null ? mask : parseMask(typed);
    if (meant === null) return;
    setSaving(true);
    setFault(null);
    try {
      done(await new AdminApi(model.api).changeCamera(camera.id, maskBody(meant)));
      close();
    } catch (error) {
      setSaving(false);
      if (error instanceof ApiError && error.status === 401) model.sessionEnded();
      else setFault(refusal(i18n, error).text);
    }
  };
  const leave = (): void => {
    if (!dirty || asking) close();
    else setAsking(true);
  };
  const wrong = typed !== null && parseMask(typed) === null;
  return (
    <Sheet title={t("Privacy mask of {name}", { name: camera.name })} place="middle" close={leave}>
      <p class="hint">{t("Drag on the picture to draw an area. Drag its points; those between two points make a new one. Delete takes the chosen point away.")}</p>
      <div
        ref={stage}
        class={`mask-stage${broken ? " blank" : ""}`}
        tabIndex={-1}
        role="group"
        aria-label={t("Areas of the mask")}
        onPointerDown={down}
        onPointerMove={move}
        onPointerUp={up}
        onPointerCancel={cancel}
        onKeyDown={key}
      >
        {broken ? (
          <span class="ed-none">
            <Icon name="camera" size="l" />
            <span class="sm">{t("No picture at the moment")}</span>
          </span>
        ) : (
          <img src={`${snapshotPath(camera.id, WIDTH)}&again=${taken}`} alt={t("Picture of {name}", { name: camera.name })} draggable={false} onError={() => setBroken(true)} />
        )}
        <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden="true">
          {[...mask, ...(drawn === null ? [] : [drawn])].map((each, n) => (
            <polygon key={n} class={n === selected || n === mask.length ? "on" : ""} points={each.map((p) => `${p.x},${p.y}`).join(" ")} />
          ))}
        </svg>
        {area?.map((p, n) => (
          <Handle key={`p${n}`} at={p} handle={`${selected}-${n}`} label={pointLabel(i18n, selected, n, p)} chosen={n === chosen} focused={() => setChosen(n)} />
        ))}
        {!full &&
          area?.map((p, n) => {
            const next = area[(n + 1) % area.length] ?? p;
            return (
              <Handle
                key={`b${n}`}
                between
                at={middle(p, next)}
                handle={`${selected}-${n}`}
                label={t("Add a point behind point {n}", { n: n + 1 })}
                press={() => {
                  if (addPoint(selected, n)) focusNext.current = `${selected}-${n + 1}`;
                }}
              />
            );
          })}
      </div>
      <div class="row wrap">
        <Button kind="line" onClick={() => add(MIDDLE_BOX)}>
          <Icon name="plus" />
          {t("Add an area")}
        </Button>
        {mask.length > 1 && (
          <span class="row">
            <IconButton icon="left" label={t("Previous area")} onClick={() => select((selected + mask.length - 1) % mask.length)} />
            <span class="num sm">{`${selected + 1} / ${mask.length}`}</span>
            <IconButton icon="right" label={t("Next area")} onClick={() => select((selected + 1) % mask.length)} />
          </span>
        )}
        <span class="grow" />
        {!lost && (
          <IconButton
            icon="retry"
            label={t("New picture")}
            onClick={() => {
              setBroken(false);
              setTaken(taken + 1);
            }}
          />
        )}
        {area !== undefined && chosen !== null && chosen < area.length && (
          <Button kind="quiet" disabled={area.length <= FEWEST_POINTS} onClick={() => dropPoint(selected, chosen)}>
            {t("Remove this point")}
          </Button>
        )}
        {area !== undefined && (
          <Button kind="quiet" class="danger" onClick={dropArea}>
            <Icon name="trash" />
            {t("Remove this area")}
          </Button>
        )}
      </div>
      <details class="mask-numbers">
        <summary class="sm muted">{t("By numbers")}</summary>
        <Field
          label={t("Points of all areas")}
          name="mask"
          autocomplete="off"
          value={typed ?? showMask(mask)}
          change={(value) => {
            setTyped(value);
            const read = parseMask(value);
            if (read !== null) {
              put(read);
              setChosen(null);
              setSelected(Math.min(selected, Math.max(0, read.length - 1)));
            }
          }}
          hint={t("Each point as x,y from 0 to 1, from the left upper corner; spaces between points, semicolons between areas.")}
          error={wrong ? t("This is no mask: at least three points for each area, such as 0,0 0.5,0 0.5,0.5") : null}
          maxLength={32_768}
        />
      </details>
      {fault !== null && <ErrorText text={fault} />}
      <div class="row wrap leave">
        {asking && (
          <span class="grow" role="status">
            {t("The mask is not saved.")}
          </span>
        )}
        <Button kind="quiet" onClick={leave}>
          {asking ? t("Discard") : t("Cancel")}
        </Button>
        <Button kind="primary" disabled={saving || wrong || !dirty} onClick={() => void save()}>
          {mask.length === 0 && dirty ? t("Save without a mask") : t("Save the mask")}
        </Button>
      </div>
    </Sheet>
  );
}

/** The handle that an event is on: a point, or what makes one behind it. */
function handleOf({ target }: Event): { readonly area: number; readonly point: number; readonly between: boolean } | null {
  const handle = target instanceof Element ? target.closest<HTMLElement>("[data-handle]") : null;
  const [area, corner] = (handle?.dataset["handle"] ?? "").split("-").map(Number);
  return handle === null || area === undefined || corner === undefined ? null : { area, point: corner, between: handle.dataset["between"] !== undefined };
}

function pointLabel({ t, language }: Translator, area: number, n: number, p: MaskPoint): string {
  const percent = (part: number): string => (part * 100).toLocaleString(language, { maximumFractionDigits: 1 });
  return t("Area {area}, point {n}: {x} percent from the left, {y} percent from the top", { area: area + 1, n: n + 1, x: percent(p.x), y: percent(p.y) });
}

interface HandleProps {
  readonly at: MaskPoint;
  readonly handle: string;
  readonly label: string;
  /** It is no point yet: it makes one. */
  readonly between?: boolean;
  readonly chosen?: boolean;
  readonly focused?: () => void;
  readonly press?: () => void;
}

function Handle({ at, handle, label, between = false, chosen = false, focused, press }: HandleProps) {
  return (
    <button
      type="button"
      class={between ? "handle between" : chosen ? "handle on" : "handle"}
      onFocus={focused}
      data-handle={handle}
      {...(between ? { "data-between": "" } : {})}
      style={{ left: `${at.x * 100}%`, top: `${at.y * 100}%` }}
      aria-label={label}
      onClick={(e) => {
        // by a key: the pointer has done it when it went down
        if (e.detail === 0) press?.();
      }}
    />
  );
}
