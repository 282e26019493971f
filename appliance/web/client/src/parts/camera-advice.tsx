/** What to change in a camera, in words (DIR-3). */

import { useI18n } from "../app/context";
import type { Translator } from "../i18n/translator";
import type { CameraAdvice } from "../logic/advice";
import * as format from "../logic/format";
import { Note } from "../ui/controls";

export interface AdviceWords {
  readonly measured: string;
  readonly hint: string;
}

export function adviceWords(i18n: Translator, advice: CameraAdvice): AdviceWords {
  const { t } = i18n;
  if (advice.about === "rate") {
    return {
      measured: t("This camera sends {rate}.", { rate: format.fps(i18n, advice.measured) }),
      hint: t("Set it to more than 10, better 15 to 25, for smooth video."),
    };
  }
  const time = format.seconds(i18n, advice.measured);
  return {
    measured: advice.atLeast ? t("Over {time} from one key frame to the next.", { time }) : t("One key frame every {time}.", { time }),
    hint: t("Pictures appear faster with one each second. Set it in the camera."),
  };
}

/** Each once, whichever stream it is of: what is set for one is to be set for the others. */
export function CameraAdviceNotes({ list }: { list: readonly CameraAdvice[] }) {
  const i18n = useI18n();
  const shown = list.filter((one, at) => list.findIndex((other) => other.about === one.about) === at);
  return (
    <>
      {shown.map((one) => {
        const words = adviceWords(i18n, one);
        return (
          <Note key={one.about} kind="attn" icon="info">
            <p class="sm flush">
              <b>{words.measured}</b> {words.hint}
            </p>
          </Note>
        );
      })}
    </>
  );
}
