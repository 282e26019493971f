/** What the signs of the timeline mean, and how much time it shows. */

import { useI18n } from "../../app/context";
import type { Translator } from "../../i18n/translator";
import { THIN } from "../../logic/format";
import type { ZoomBarProps } from "../../logic/timeline/contract";
import { DAY, HOUR, MINUTE } from "../../logic/timeline/zone";
import { Segmented } from "../../ui/controls";
import { useMedia } from "../../ui/hooks";
import { useWatched } from "./use-watched";

const DESKTOP: readonly number[] = [10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY];
const PHONE: readonly number[] = [10 * MINUTE, 20 * MINUTE, HOUR, 6 * HOUR, DAY];
/** A choice counts as made while as much is shown as makes no difference. */
const NEAR = 0.02;

function lengthText({ tn }: Translator, ms: number): string {
  if (ms < HOUR) return `${ms / MINUTE}${THIN}min`;
  if (ms <= DAY) return `${ms / HOUR}${THIN}h`;
  return tn("{n} day", "{n} days", ms / DAY);
}

export function Legend() {
  const { t } = useI18n();
  const shapes = [
    [t("Recorded"), "rec", <rect x="0" y="1" width="12" height="10" rx="2" />],
    [t("Movement"), "rec-hi", <path d="M0 1h2v11H0zM3 4h2v8H3zM6 1h2v11H6zM9 5h2v7H9z" />],
    [t("Event"), "event", <circle cx="6" cy="6" r="5" />],
    [t("Alarm"), "alarm", <path d="M0 1h12L6 11z" />],
    [t("Bookmark"), "mark", <path d="M1 0h10v12L6 8.5 1 12z" />],
  ] as const;
  return (
    <ul class="legend">
      {shapes.map(([word, kind, shape]) => (
        <li key={kind}>
          <svg class={`sign is-${kind}`} viewBox="0 0 12 12" aria-hidden="true">
            {shape}
          </svg>
          {word}
        </li>
      ))}
    </ul>
  );
}

export function ZoomBar({ shown }: ZoomBarProps) {
  const i18n = useI18n();
  const phone = useMedia("(max-width: 760px)");
  const choices = phone ? PHONE : DESKTOP;
  const chosen = useWatched(shown, (ms) => choices.find((c) => Math.abs(c - ms) < NEAR * c) ?? 0);
  const options = choices.map((value) => ({ value, label: lengthText(i18n, value) }));
  return (
    <div class="zoom-bar">
      {!phone && <Legend />}
      <Segmented label={i18n.t("Time shown")} value={chosen} options={options} choose={(ms) => shown.set(ms)} />
    </div>
  );
}
