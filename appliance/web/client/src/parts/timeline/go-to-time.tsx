/** *Go to time*: typed freely, with what was understood below (`G`). */

import { useId, useState } from "preact/hooks";
import { useI18n } from "../../app/context";
import type { GoToTimeProps } from "../../logic/timeline/contract";
import { readTime } from "../../logic/timeline/typed-time";
import { Button } from "../../ui/controls";
import { Popover } from "../../ui/popover";
import { useTimes } from "./timeline";

export function GoToTime(props: GoToTimeProps) {
  const { t } = useI18n();
  return (
    <Popover label={t("Go to time")} place="above" align="start" close={props.close}>
      <GoToTimeForm {...props} />
    </Popover>
  );
}

export function GoToTimeForm({ position, now, zone, go, close, typed: first = "" }: GoToTimeProps & { readonly typed?: string }) {
  const { t } = useI18n();
  const times = useTimes(zone);
  const id = useId();
  const [typed, setTyped] = useState(first);
  const [asked, setAsked] = useState(first !== "");
  const found = readTime(typed, times.zone, position, now());
  const choose = (at: number): void => {
    close();
    go(at);
  };
  const moment = (at: number): string => `${times.day(at)}, ${times.clock(at)}`;
  const hint = (): string => {
    if (found.kind === "time") return found.missing ? t("The clock skips this time. Goes to {time}.", { time: moment(found.at) }) : moment(found.at);
    if (found.kind === "future") return t("{time} is still to come.", { time: moment(found.at) });
    return asked && typed !== "" ? t("Not understood. Try 14:18, yesterday 9 or 12/3 14:18.") : t("14:18, yesterday 9, 12/3 14:18");
  };
  const wrong = asked && typed !== "" && found.kind !== "time";
  return (
    <form
      class="goto"
      onSubmit={(e) => {
        e.preventDefault();
        setAsked(true);
        if (found.kind === "time") choose(found.at);
      }}
    >
      <label for={id}>{t("Go to time")}</label>
      <div class="row">
        <input
          id={id}
          class={wrong ? "in err" : "in"}
          type="text"
          data-first=""
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          maxLength={60}
          value={typed}
          aria-describedby={`${id}-hint`}
          aria-invalid={wrong}
          onInput={(e) => {
            setTyped(e.currentTarget.value);
            setAsked(false);
          }}
        />
        <Button kind="primary" type="submit">
          {t("Go")}
        </Button>
      </div>
      <p class={wrong ? "errmsg" : "hint"} id={`${id}-hint`} role="status">
        {hint()}
      </p>
      {found.kind === "time" && found.also !== null && (
        <Button kind="line" onClick={() => choose(found.also ?? found.at)}>
          {t("Or {time}", { time: times.clock(found.also) })}
        </Button>
      )}
    </form>
  );
}
