/** What the test of a camera showed: how far it came, its streams, what would make it better (DIR-3). */

import { useI18n } from "../app/context";
import type { Translator } from "../i18n/translator";
import { pictureAfterMs, stagesOf, type TestResult, type TestStream } from "../logic/camera-admin";
import { placeOf } from "../logic/camera-address";
import { fingerprintLines } from "../logic/camera-options";
import * as format from "../logic/format";
import { Button, Note } from "../ui/controls";
import { Icon } from "../ui/icons";
import { CameraAdviceNotes } from "./camera-advice";
import { stageText, streamFigures, streamName, testFailure } from "./camera-words";

interface OutcomeProps {
  readonly result: TestResult;
  /** A user or a password was given. */
  readonly signedIn: boolean;
  /** A certificate is trusted already. */
  readonly pinned: boolean;
  readonly trust: (fingerprint: string) => void;
}

export function TestOutcome({ result, signedIn, pinned, trust }: OutcomeProps) {
  const i18n = useI18n();
  const failed = result.streams.find((stream) => !stream.ok);
  const [main, ...others] = result.streams;
  return (
    <>
      {main?.ok && (
        <p class="row showed sm" role="status">
          <Icon name="check" size="s" />
          <span>{[afterText(i18n, main), streamFigures(i18n, main)].filter(Boolean).join(" · ")}</span>
        </p>
      )}
      {others.some((stream) => stream.ok) && <StreamList streams={result.streams.filter((stream) => stream.ok)} />}
      {failed && <Failure stream={failed} second={failed !== main} signedIn={signedIn} pinned={pinned} trust={trust} />}
      {!failed && <CameraAdviceNotes list={result.streams.flatMap((stream) => stream.advice)} />}
      {result.streams.flatMap((stream) => stream.notes).length > 0 && <Details streams={result.streams} open={false} />}
    </>
  );
}

function afterText(i18n: Translator, stream: TestStream): string {
  return i18n.t("Picture after {time}", { time: format.elapsed(i18n, pictureAfterMs(stream.steps)) });
}

function StreamList({ streams }: { streams: readonly TestStream[] }) {
  const i18n = useI18n();
  return (
    <dl class="kv">
      {streams.map((stream) => (
        <div key={stream.name}>
          <dt>{streamName(i18n, stream.name)}</dt>
          <dd class="num">{[streamFigures(i18n, stream), stream.kbps === null ? "" : format.rate(i18n, (stream.kbps * 1000) / 8)].filter(Boolean).join(" · ")}</dd>
        </div>
      ))}
    </dl>
  );
}

type FailureProps = Omit<OutcomeProps, "result"> & { readonly stream: TestStream; readonly second: boolean };

function Failure({ stream, second, signedIn, pinned, trust }: FailureProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const words = testFailure(i18n, stream, signedIn, pinned);
  const shown = stream.fingerprint;
  const asks = stream.code === "bad_credentials" && !signedIn;
  const place = placeOf(stream.url);
  return (
    <>
      <Note kind={asks ? "" : "bad"} icon={asks ? "lock" : "warning"}>
        <div role="alert">
          <b>{second ? t("Smaller stream: {what}", { what: words.title }) : words.title}</b>
          <p class="sm">{words.detail}</p>
          {shown !== null && (
            <code class="print">
              {fingerprintLines(shown).map((line) => (
                <span key={line}>{line}</span>
              ))}
            </code>
          )}
        </div>
      </Note>
      {shown !== null && (
        <Button kind="line" block onClick={() => trust(shown)}>
          <Icon name="lock" />
          {pinned ? t("Trust the new certificate") : t("Trust this certificate")}
        </Button>
      )}
      {!asks && (
        <ol class="stages sm" aria-label={t("What was tried")}>
          {stagesOf(stream.steps).map(({ stage, ok, ms }) => (
            <li key={stage} class={ok ? "ok" : "bad"}>
              <Icon name={ok ? "check" : "close"} size="s" />
              <span class="grow">
                {!ok && <span class="vh">{t("Failed:")} </span>}
                {stageText(i18n, stage, ok, place, stream.code === "bad_credentials")}
              </span>
              <span class="num faint">{format.elapsed(i18n, ms)}</span>
            </li>
          ))}
        </ol>
      )}
      {!asks && <Details streams={[stream]} open={false} />}
    </>
  );
}

/** The camera's and the server's own words: for support, in English. */
function Details({ streams, open }: { streams: readonly TestStream[]; open: boolean }) {
  const { t } = useI18n();
  const lines = streams.flatMap((stream) => [
    ...stream.steps.map((step) => `${step.ok ? "+" : "-"} ${stream.name} ${step.name} ${step.ms} ms ${step.text}`.trim()),
    ...stream.notes.map((note) => `  ${stream.name} ${note}`),
  ]);
  return (
    <details class="sm" open={open}>
      <summary class="muted">{t("Details")}</summary>
      <pre class="log" lang="en">
        {lines.join("\n")}
      </pre>
    </details>
  );
}
