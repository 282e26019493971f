/** What stands above the page: the server is away, or the first password waits to be changed. */

import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import { Button } from "../ui/controls";
import { useSecond, useStore } from "../ui/hooks";
import { Icon } from "../ui/icons";

export function OfflineBanner() {
  const model = useModel();
  const i18n = useI18n();
  const { t } = i18n;
  const connection = useStore(model.connection);
  const down = connection.state === "down";
  useSecond(down);
  if (connection.state === "back") {
    return (
      <div class="banner good" role="status">
        <Icon name="check" />
        <span class="grow">{t("Connected again")}</span>
      </div>
    );
  }
  if (!down) return null;
  const left = Math.max(0, connection.nextTryAt - performance.now()) / 1000;
  const shown = model.cameras.get() !== null;
  return (
    <div class="banner">
      <Icon name="retry" />
      <span class="grow">
        <b role="alert">{t("Connection lost.")}</b>{" "}
        {shown && <>{t("Showing the last pictures from {time}.", { time: format.clock(i18n, connection.sinceUtc) })} </>}
        <span class="num">{left > 0.5 ? t("Trying again in {time}.", { time: format.wait(left) }) : t("Trying again…")}</span>
      </span>
      <Button kind="line" onClick={() => model.tryNow()}>
        {t("Try now")}
      </Button>
    </div>
  );
}

export function PasswordBanner({ change }: { change: () => void }) {
  const model = useModel();
  const { t } = useI18n();
  const session = useStore(model.session);
  if (session.state !== "in" || !session.session.user.mustChangePassword) return null;
  return (
    <div class="banner quiet">
      <Icon name="key" />
      <span class="grow">{t("You still use the first password. Choose your own.")}</span>
      <Button kind="line" onClick={change}>
        {t("Change password")}
      </Button>
    </div>
  );
}

/** A newer page is there; it is fetched by itself as soon as this one is out of sight. */
export function UpdateBanner() {
  const model = useModel();
  const { t } = useI18n();
  if (!useStore(model.updated)) return null;
  return (
    <div class="banner good" role="status">
      <Icon name="info" />
      <span class="grow">{t("Fanal was updated")}</span>
      <Button kind="line" onClick={() => location.reload()}>
        {t("Reload")}
      </Button>
    </div>
  );
}
