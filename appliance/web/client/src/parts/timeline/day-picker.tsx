/** The day that is shown, and the month to choose another from: each day filled by what was recorded. */

import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { useI18n } from "../../app/context";
import { addMonths, monthOf, nearest, placeOn, sameDay, share, weeks, type CalendarDay, type Month } from "../../logic/timeline/calendar";
import type { DayPickerProps, Span } from "../../logic/timeline/contract";
import { clip, length } from "../../logic/timeline/spans";
import { HOUR, MINUTE } from "../../logic/timeline/zone";
import { Button, IconButton } from "../../ui/controls";
import { useMedia } from "../../ui/hooks";
import { Icon } from "../../ui/icons";
import { Popover } from "../../ui/popover";
import { useTimes } from "./timeline";
import { useLoaded, useWatched } from "./use-watched";

export function DayPicker(props: DayPickerProps) {
  const { t } = useI18n();
  const times = useTimes(props.zone);
  const phone = useMedia("(max-width: 760px)");
  const [open, setOpen] = useState(false);
  const day = useWatched(props.position, (at) => times.zone.startOfDay(at));
  const close = (): void => setOpen(false);
  return (
    <div class="pop-host">
      <Button kind="quiet" aria-expanded={open} title={t("Choose a day")} onClick={() => setOpen(!open)}>
        <Icon name="calendar" />
        <span>{phone ? times.date(day) : times.day(day)}</span>
      </Button>
      {open && (
        <Popover label={t("Choose a day")} place="below" close={close}>
          <MonthView
            {...props}
            choose={(at) => {
              close();
              props.choose(at);
            }}
          />
        </Popover>
      )}
    </div>
  );
}

export function MonthView({ cameras, data, position, now, zone, choose }: DayPickerProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const times = useTimes(zone);
  const ids = cameras.map((c) => c.id);
  const [shown] = useState(() => position.get());
  const [active, setActive] = useState(() => times.zone.startOfDay(shown));
  const [month, setMonth] = useState<Month>(() => monthOf(times.zone, shown));
  const [empty, setEmpty] = useState<{ readonly day: Span; readonly nearest: number | null } | null>(null);
  const grid = useRef<HTMLTableElement>(null);
  const wanted = useRef(false);
  const rows = useMemo(() => weeks(times.zone, month), [times, month.year, month.month]);
  const whole: Span = { from: rows[0]?.[0]?.from ?? 0, to: rows.at(-1)?.at(-1)?.to ?? 0 };
  const { value: recorded, failed } = useLoaded(async () => data.recorded(ids, whole, MINUTE), [data, ids.join(" "), whole.from]);
  const today = times.zone.startOfDay(now());

  useLayoutEffect(() => {
    if (wanted.current) grid.current?.querySelector<HTMLElement>('button[tabindex="0"]')?.focus();
    wanted.current = false;
  }, [active, month]);

  const turn = (by: number): void => {
    setMonth(addMonths(month, by));
    setActive(sameDay(times.zone, active, by));
    setEmpty(null);
  };
  const move = (to: number): void => {
    wanted.current = true;
    setActive(to);
    setMonth(monthOf(times.zone, to));
    setEmpty(null);
  };
  const onKeyDown = (e: KeyboardEvent): void => {
    const { weekday } = times.zone.local(active);
    const monday = (weekday + 6) % 7;
    const days: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7, Home: -monday, End: 6 - monday };
    const by = days[e.key];
    if (by !== undefined) move(times.zone.startOfDay(active, by));
    else if (e.key === "PageUp" || e.key === "PageDown") move(sameDay(times.zone, active, (e.key === "PageUp" ? -1 : 1) * (e.shiftKey ? 12 : 1)));
    else return;
    e.preventDefault();
    e.stopPropagation();
  };
  const pick = async (day: CalendarDay): Promise<void> => {
    if (day.from > now()) return;
    setActive(day.from);
    const place = recorded ? placeOn(times.zone, recorded, day, shown) : day.from;
    if (place !== null) return choose(place);
    setEmpty({ day, nearest: null });
    const bounds = data.bounds(ids);
    // days are enough to find the nearest one
    const all = bounds ? await data.recorded(ids, { from: bounds.from, to: Math.max(bounds.to, now()) }, HOUR).catch(() => []) : [];
    setEmpty((before) => (before?.day === day ? { day, nearest: nearest(all, day) } : before));
  };
  const cell = (day: CalendarDay) => {
    const part = recorded ? share(recorded, day) : 0;
    const future = day.from > now();
    const said = !recorded || future ? "" : part === 0 ? t("nothing recorded") : t("{time} recorded", { time: times.duration(length(clip(recorded, day))) });
    const classes = ["day", day.inside ? "" : "beside", day.from === today ? "today" : "", day.from === times.zone.startOfDay(shown) ? "chosen" : ""];
    return (
      <td key={day.from} role="gridcell" aria-selected={day.from === times.zone.startOfDay(shown)}>
        <button
          type="button"
          class={classes.filter(Boolean).join(" ")}
          tabIndex={day.from === active && day.inside ? 0 : -1}
          aria-disabled={future}
          aria-label={[times.wholeDay(day.from + 12 * HOUR), said].filter(Boolean).join(", ")}
          {...(day.from === today ? { "aria-current": "date" as const } : {})}
          {...(day.from === active && day.inside ? { "data-first": "" } : {})}
          onClick={() => void pick(day)}
        >
          <span>{day.day}</span>
          <span class="day-bar" aria-hidden="true">
            {part > 0 && <span style={{ width: `${Math.round(part * 100)}%` }} />}
          </span>
        </button>
      </td>
    );
  };
  return (
    <div class="month">
      <header class="row">
        <IconButton icon="left" label={t("Previous month")} hint="PgUp" onClick={() => turn(-1)} />
        <h2 class="grow" aria-live="polite">
          {times.month(times.zone.at(month.year, month.month, 15, 12))}
        </h2>
        <IconButton icon="right" label={t("Next month")} hint="PgDn" onClick={() => turn(1)} />
      </header>
      <table role="grid" aria-label={t("Days with recordings")} ref={grid} onKeyDown={onKeyDown}>
        <thead>
          <tr>
            {rows[0]?.map((day) => (
              <th key={day.from} scope="col" abbr={times.weekday(day.from + 12 * HOUR, "long")}>
                {times.weekday(day.from + 12 * HOUR, "short")}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((week) => (
            <tr key={week[0]?.from}>{week.map(cell)}</tr>
          ))}
        </tbody>
      </table>
      {failed && <p class="hint">{t("What was recorded could not be loaded. Choose a day all the same.")}</p>}
      {empty && (
        <div class="month-empty" role="status">
          <p>{t("Nothing was recorded on {day}.", { day: times.date(empty.day.from + 12 * HOUR) })}</p>
          {empty.nearest !== null && <Button onClick={() => choose(empty.nearest ?? 0)}>{t("Nearest day with recordings")}</Button>}
        </div>
      )}
    </div>
  );
}
