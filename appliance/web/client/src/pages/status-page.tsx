/** Status (ui.md §12): what needs attention, then how much the server does and how much more it could.  Loaded on demand. */

import "../styles/status.css";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import type { Attention, Capacity, ServerStatus } from "../logic/server-status";
import { AdminApi } from "../net/admin";
import { ApiError, Unreachable } from "../net/api";
import { attentionWords } from "../parts/attention-words";
import { Button, EmptyState, Note } from "../ui/controls";
import { useLooking, useTitle } from "../ui/hooks";

/** As often as the server looks at its load. */
const EVERY_MS = 5000;

export function StatusPage() {
  const model = useModel();
  const { t, tc } = useI18n();
  const [status, setStatus] = useState<ServerStatus | null>(null);
  const [failed, setFailed] = useState(false);
  useTitle(tc("page", "Status"));
  const load = async (): Promise<void> => {
    try {
      setStatus(await new AdminApi(model.api).status());
      setFailed(false);
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) model.sessionEnded();
      else if (error instanceof ApiError || error instanceof Unreachable) setFailed(true);
      else throw error;
    }
  };
  useLooking(load, EVERY_MS);
  return (
    <div class="page-main">
      <div class="topbar">
        <h1 class="ell">{tc("page", "Status")}</h1>
      </div>
      <div class="scroll">
        {status !== null ? (
          <StatusView status={status} />
        ) : (
          failed && (
            <EmptyState icon="warning" title={t("The status could not be loaded.")}>
              <Button onClick={() => void load()}>{t("Try again")}</Button>
            </EmptyState>
          )
        )}
      </div>
    </div>
  );
}

export function StatusView({ status }: { status: ServerStatus }) {
  const i18n = useI18n();
  const { t, tn } = i18n;
  return (
    <div class="page stat">
      {status.attention.map((item) => (
        <Item key={item.code + item.message} item={item} />
      ))}
      {status.attention.length === 0 && (
        <Note kind="acc" icon="check">
          {t("All is well.")}
        </Note>
      )}
      <div class="kpis">
        <Figure name={t("Processor")}>
          {status.cpu === null ? "–" : `${format.number(i18n, status.cpu * 100)}${format.THIN}%`}
        </Figure>
        <Figure name={t("Sent")} more={t("to all who watch")}>
          {status.sent === null ? "–" : format.rate(i18n, status.sent)}
        </Figure>
        <Figure name={t("Views open")} more={tn("{n} user connected", "{n} users connected", status.users)}>
          {format.number(i18n, status.viewers)}
        </Figure>
      </div>
      <Room capacity={status.capacity} />
      {status.runningSince !== null && <p class="sm muted">{t("Running since {time}.", { time: format.dayAndClock(i18n, status.runningSince) })}</p>}
    </div>
  );
}

function Item({ item }: { item: Attention }) {
  const i18n = useI18n();
  const words = attentionWords(i18n, item);
  return (
    <Note kind={item.urgent ? "bad" : "attn"} icon="warning">
      {words === null ? (
        <div lang="en">
          <b>{item.message}</b> <span class="muted">{item.hint}</span>
        </div>
      ) : (
        <>
          <b>{words.title}</b> <span class="muted">{words.hint}</span>
          {words.said !== null && (
            <p class="sm muted" lang="en">
              {words.said}
            </p>
          )}
        </>
      )}
    </Note>
  );
}

/** For how many more there is room, or how to find out. */
function Room({ capacity }: { capacity: Capacity | null }) {
  const i18n = useI18n();
  const { t } = i18n;
  const known = capacity !== null && capacity.moreDirect !== null && capacity.moreTranscoded !== null;
  return (
    <section class="card room">
      <h2>{t("Capacity")}</h2>
      {capacity === null && <p>{t("Not measured yet. On the server, run:")} <code class="mono">fanal bench</code></p>}
      {known && (
        <p class="v">
          {t("Room for {direct} more direct, {transcoded} more transcoded", {
            direct: format.number(i18n, capacity.moreDirect ?? 0),
            transcoded: format.number(i18n, capacity.moreTranscoded ?? 0),
          })}
        </p>
      )}
      {capacity !== null && (
        <p class="sm muted">
          {t("Either the one or the other, by the load at the moment. Transcoded: a camera more, {codec}, made as {size} at {fps}.", {
            codec: format.codecName(capacity.codec),
            size: format.size(capacity.width, capacity.height),
            fps: format.fps(i18n, capacity.fps),
          })}{" "}
          {capacity.measuredAt !== null && t("Measured {time}.", { time: format.dayAndClock(i18n, capacity.measuredAt) })}
        </p>
      )}
      {capacity?.wasBusy === true && (
        <p class="sm muted">{t("The server was busy while it was measured: run it again when it is quiet.")}</p>
      )}
    </section>
  );
}

function Figure({ name, more, children }: { name: string; more?: string; children: ComponentChildren }) {
  return (
    <div class="card kpi">
      <p class="sm muted">{name}</p>
      <p class="v num">{children}</p>
      {more !== undefined && <p class="sm muted">{more}</p>}
    </div>
  );
}
