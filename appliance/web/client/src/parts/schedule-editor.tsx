/** When a camera is recorded: rows of days and times. */

import { useEffect, useRef } from "preact/hooks";
import { useI18n } from "../app/context";
import * as format from "../logic/format";
import { DAYS, MOST_TIMES, timesFault, USUAL_TIMES, type Day, type Times } from "../logic/recording";
import { Button, ErrorText, IconButton } from "../ui/controls";
import { Icon } from "../ui/icons";

interface ScheduleProps {
  readonly schedule: readonly Times[];
  readonly change: (schedule: readonly Times[]) => void;
}

export function ScheduleEditor({ schedule, change }: ScheduleProps) {
  const { t } = useI18n();
  const list = useRef<HTMLUListElement>(null);
  /** What the focus goes to once it is there. */
  const next = useRef<string | null>(null);
  useEffect(() => {
    const found = next.current === null ? null : list.current?.parentElement?.querySelector<HTMLElement>(next.current);
    next.current = null;
    found?.focus();
  });
  const put = (at: number, times: Times): void => change(schedule.map((each, i) => (i === at ? times : each)));
  return (
    <div class="field">
      <ul ref={list} class="times-list">
        {schedule.map((times, at) => (
          <Row
            key={at}
            times={times}
            number={at + 1}
            change={(changed) => put(at, changed)}
            remove={() => {
              const left = schedule.filter((_, i) => i !== at);
              next.current = left.length === 0 ? ".add-times" : `[data-times="${Math.min(at, left.length - 1)}"] button`;
              change(left);
            }}
          />
        ))}
      </ul>
      {schedule.length === 0 && <ErrorText text={t("Add the times at which it is recorded.")} />}
      {schedule.length < MOST_TIMES && (
        <Button
          kind="quiet"
          class="start add-times"
          onClick={() => {
            next.current = `[data-times="${schedule.length}"] button`;
            change([...schedule, USUAL_TIMES]);
          }}
        >
          <Icon name="plus" />
          {t("Add times")}
        </Button>
      )}
      <p class="hint">{t("By the server’s clock. Times that end before they begin end on the next day.")}</p>
    </div>
  );
}

interface RowProps {
  readonly times: Times;
  /** Counted from 1, for those who do not see where it stands. */
  readonly number: number;
  readonly change: (times: Times) => void;
  readonly remove: () => void;
}

function Row({ times, number, change, remove }: RowProps) {
  const i18n = useI18n();
  const { t, tc } = i18n;
  const toggle = (day: Day): void => {
    const days = DAYS.filter((each) => (each === day) !== times.days.includes(each));
    change({ ...times, days });
  };
  return (
    <li class="times" data-times={number - 1} aria-label={t("Times {number}", { number })}>
      <div class="seg days" role="group" aria-label={tc("of the week", "Days")}>
        {DAYS.map((day, at) => (
          <button key={day} type="button" aria-pressed={times.days.includes(day)} title={format.weekday(i18n, at, "long")} onClick={() => toggle(day)}>
            {format.weekday(i18n, at, "short")}
          </button>
        ))}
      </div>
      <div class="row hours">
        <input class="in num" type="time" required aria-label={tc("time", "From")} value={times.from} onInput={(e) => change({ ...times, from: e.currentTarget.value })} />
        <span aria-hidden="true">–</span>
        <input class="in num" type="time" required aria-label={tc("time", "To")} value={times.to} onInput={(e) => change({ ...times, to: e.currentTarget.value })} />
        <IconButton icon="trash" label={t("Remove these times")} onClick={remove} />
      </div>
      {timesFault(times) && <ErrorText text={times.days.length === 0 ? t("Choose a day.") : t("Enter two different times.")} />}
    </li>
  );
}
