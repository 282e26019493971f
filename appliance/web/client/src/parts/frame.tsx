/** The frame around a page: the rail on a desktop, the tabs on a phone.  Only what exists is in it. */

import { useI18n, useModel } from "../app/context";
import * as format from "../logic/format";
import { useStore } from "../ui/hooks";
import { Icon } from "../ui/icons";

interface FrameProps {
  readonly page: string;
  readonly account: () => void;
}

function Entries({ page, account }: FrameProps) {
  const model = useModel();
  const { t, tc } = useI18n();
  const session = useStore(model.session);
  const name = session.state === "in" || session.state === "ended" ? session.session.user.name : "";
  return (
    <>
      <a
        class="nav"
        href="/"
        {...(page === "live" ? { "aria-current": "page" as const } : {})}
        onClick={(e) => {
          if (e.metaKey || e.ctrlKey || e.shiftKey) return;
          e.preventDefault();
          model.router.go("/");
        }}
      >
        <Icon name="live" size="l" />
        {tc("page", "Live")}
      </a>
      <span class="grow" />
      <button type="button" class="nav" aria-haspopup="dialog" title={t("Account")} onClick={account}>
        <span class="avatar" aria-hidden="true">
          {format.initials(name)}
        </span>
        <span class="ell">{name}</span>
      </button>
    </>
  );
}

export function Rail(props: FrameProps) {
  const { t } = useI18n();
  return (
    <nav class="rail" aria-label={t("Main")}>
      <span class="brand" title="Fanal">
        <Icon name="fanal" size="l" />
      </span>
      <Entries {...props} />
    </nav>
  );
}

export function TabBar(props: FrameProps) {
  const { t } = useI18n();
  return (
    <nav class="tabbar" aria-label={t("Main")}>
      <Entries {...props} />
    </nav>
  );
}
