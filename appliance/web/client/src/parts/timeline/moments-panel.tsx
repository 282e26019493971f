/**
 * What happened that day and what was written down, as lists: the same that the timeline draws, for those who do not see
 * it, and to search.
 */

import { useEffect, useState } from "preact/hooks";
import { useI18n } from "../../app/context";
import type { Bookmark, Marker, MomentsPanelProps } from "../../logic/timeline/contract";
import { Button, IconButton, Segmented } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { useTimes } from "./timeline";
import { useLoaded, useWatched } from "./use-watched";
import { kindText, markerText } from "./words";

const SHOWN = 300;
const TYPING_MS = 250;

export function MomentsPanel(props: MomentsPanelProps & { readonly first?: "events" | "bookmarks" }) {
  const { t } = useI18n();
  const [list, setList] = useState(props.first ?? "events");
  return (
    <aside class="moments" aria-label={list === "events" ? t("Events") : t("Bookmarks")}>
      <header class="row">
        <Segmented
          label={t("Show")}
          value={list}
          options={[
            { value: "events", label: t("Events") },
            { value: "bookmarks", label: t("Bookmarks") },
          ]}
          choose={setList}
        />
        <span class="grow" />
        <IconButton icon="close" label={t("Close")} onClick={props.close} />
      </header>
      {list === "events" ? <Events {...props} /> : <BookmarkList {...props} />}
    </aside>
  );
}

function Events({ cameras, data, position, zone, go }: MomentsPanelProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const times = useTimes(zone);
  const day = useWatched(position, (at) => times.zone.startOfDay(at));
  const version = useWatched(data.moments, (v) => v);
  const ids = cameras.map((c) => c.id);
  const { value, failed } = useLoaded(
    async () => ({ day, list: await data.markers(ids, { from: day, to: times.zone.startOfDay(day, 1) }) }),
    [data, ids.join(" "), day, version],
  );
  const list = value?.day === day ? value.list : null;
  return (
    <>
      <h2>{times.day(day)}</h2>
      {failed && <p class="hint">{t("The list could not be loaded. Trying again when the server answers.")}</p>}
      {list?.length === 0 && <p class="hint">{t("No events on {day}.", { day: times.date(day) })}</p>}
      {list && list.length > 0 && (
        <ol class="moment-list">
          {list.slice(0, SHOWN).map((marker) => (
            <Moment key={`${marker.kind} ${marker.id}`} marker={marker} when={times.clock(marker.at)} cameras={cameras} go={go} />
          ))}
        </ol>
      )}
      {list && list.length > SHOWN && <p class="hint">{i18n.tn("{n} more", "{n} more", list.length - SHOWN)}</p>}
    </>
  );
}

function BookmarkList({ cameras, bookmarks, data, now, zone, go, edit }: MomentsPanelProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const times = useTimes(zone);
  const [typed, setTyped] = useState("");
  const [text, setText] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setText(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const ids = cameras.map((c) => c.id);
  const version = useWatched(data.moments, (v) => v);
  const { value, failed } = useLoaded(async () => bookmarks.search({ cameras: ids, text, limit: SHOWN }), [bookmarks, ids.join(" "), text, version]);
  const list = value && [...value].sort((a, b) => b.at - a.at);
  return (
    <>
      <div class="search">
        <Icon name="search" />
        <input
          class="in"
          type="search"
          aria-label={t("Find a bookmark")}
          placeholder={t("Find a bookmark")}
          autocomplete="off"
          maxLength={100}
          value={typed}
          onInput={(e) => setTyped(e.currentTarget.value)}
        />
      </div>
      {failed && <p class="hint">{t("The list could not be loaded. Trying again when the server answers.")}</p>}
      {list?.length === 0 && <p class="hint" role="status">{text === "" ? t("No bookmarks yet. Make one with the bookmark button, or B.") : t("No bookmark holds “{text}”.", { text })}</p>}
      {list && list.length > 0 && (
        <ol class="moment-list">
          {list.map((bookmark) => (
            <Moment key={bookmark.id} marker={bookmark} when={times.moment(bookmark.at, now())} cameras={cameras} go={go} edit={edit} />
          ))}
        </ol>
      )}
    </>
  );
}

interface MomentProps {
  readonly marker: Marker;
  readonly when: string;
  readonly cameras: MomentsPanelProps["cameras"];
  readonly go: MomentsPanelProps["go"];
  readonly edit?: MomentsPanelProps["edit"];
}

const SIGNS = {
  event: <circle cx="6" cy="6" r="5" />,
  alarm: <path d="M0 1h12L6 11z" />,
  bookmark: <path d="M1 0h10v12L6 8.5 1 12z" />,
} as const;
const LOOKS = { event: "event", alarm: "alarm", bookmark: "mark" } as const;

function isBookmark(marker: Marker): marker is Bookmark {
  return marker.kind === "bookmark";
}

function Moment({ marker, when, cameras, go, edit }: MomentProps) {
  const i18n = useI18n();
  const camera = cameras.find((c) => c.id === marker.camera)?.name ?? "";
  const text = markerText(i18n, marker);
  return (
    <li class="row">
      <Button kind="quiet" class="moment grow" onClick={() => go(marker.at, marker.camera)}>
        <svg class={`sign is-${LOOKS[marker.kind]}`} viewBox="0 0 12 12" role="img" aria-label={kindText(i18n, marker)}>
          {SIGNS[marker.kind]}
        </svg>
        <span class="grow">
          <span class="moment-text">{text}</span>
          <span class="muted sm">
            <span class="num">{when}</span> · {camera}
          </span>
        </span>
      </Button>
      {edit && isBookmark(marker) && marker.mine && <IconButton icon="pen" label={i18n.t("Edit {text}", { text })} onClick={() => edit(marker)} />}
    </li>
  );
}
