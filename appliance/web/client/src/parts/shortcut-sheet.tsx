/** Keys and gestures (`?`): what exists now, nothing else. */

import { useI18n, useModel } from "../app/context";
import type { Translator } from "../i18n/translator";
import { useStore } from "../ui/hooks";
import { Sheet } from "../ui/sheet";

type Row = readonly [keys: readonly string[], text: string];

function groups({ t, tc }: Translator, administer: boolean): readonly { readonly title: string; readonly rows: readonly Row[] }[] {
  return [
    {
      title: t("Everywhere"),
      rows: [
        [["?"], t("Keys and gestures")],
        [["G", "L"], t("Go to Live")],
        [["G", "P"], t("Go to Playback")],
        ...(administer ? [[["G", "S"], t("Go to Settings")] as Row] : []),
        [["T"], t("Theme")],
        [["Esc"], t("Back one step")],
      ],
    },
    {
      title: tc("page", "Live"),
      rows: [
        [["/"], t("Find a camera")],
        [["←", "→", "↑", "↓"], t("From picture to picture")],
        [[t("Enter")], t("Open the camera")],
        [["1", "…", "9"], t("Open camera 1 to 9")],
        [["D"], t("Details on every picture")],
        [["PgUp", "PgDn"], t("Previous or next page")],
      ],
    },
    {
      title: t("Live and one camera"),
      rows: [
        [["S"], t("Snapshot")],
        [["A"], t("Sound")],
        [["F"], t("Whole screen")],
        [["W"], t("Why do I see this?")],
      ],
    },
    {
      title: t("One camera"),
      rows: [
        [["←", "→"], t("Previous or next camera")],
        [["+", "-"], t("Zoom")],
      ],
    },
    {
      title: tc("page", "Playback"),
      rows: [
        [[t("Space")], t("Play or pause")],
        [[",", "."], t("One picture back or on")],
        [["←", "→"], t("5 seconds back or on")],
        [["Shift", "←", "→"], t("Previous or next event")],
        [["J", "K", "L"], t("Reverse, stop, forward")],
        [["[", "]"], t("Slower or faster")],
        [["I", "O"], t("Select from here, to here")],
        [["B"], t("Bookmark")],
        [["↑", "↓"], t("Less or more time")],
        [["G"], t("Go to time")],
        [["End"], t("Go to now")],
      ],
    },
    {
      title: t("With fingers"),
      rows: [
        [[], t("Tap: select. Tap twice: open.")],
        [[], t("Pinch on the grid: more or fewer columns. Pinch on one camera: zoom.")],
        [[], t("Swipe left or right on one camera: next or previous. Swipe down: back.")],
      ],
    },
  ];
}

export function ShortcutSheet({ close }: { close: () => void }) {
  const i18n = useI18n();
  const session = useStore(useModel().session);
  const administer = session.state === "in" && session.session.administer;
  return (
    <Sheet title={i18n.t("Keys and gestures")} place="middle" close={close}>
      <div class="keys">
        {groups(i18n, administer).map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.rows.map(([keys, text]) => (
                <div key={text}>
                  <dt>{text}</dt>
                  <dd>
                    {keys.map((key) => (
                      <kbd key={key}>{key}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Sheet>
  );
}
