/** The frame around a page: the rail on a desktop, the tabs on a phone.  Only what exists is in it. */

import type { ComponentChildren } from "preact";
import { useI18n, useModel } from "../app/context";
import { playbackPath } from "../app/router";
import * as format from "../logic/format";
import { useStore } from "../ui/hooks";
import { Icon, type IconName } from "../ui/icons";
import { PageLink } from "./page-link";

interface FrameProps {
  readonly page: string;
  readonly account: () => void;
}

function Entry({ path, current, icon, children }: { path: string; current: boolean; icon: IconName; children: ComponentChildren }) {
  return (
    <PageLink path={path} class="nav" current={current}>
      <Icon name={icon} size="l" />
      {children}
    </PageLink>
  );
}

function Entries({ page, account }: FrameProps) {
  const model = useModel();
  const { t, tc } = useI18n();
  const session = useStore(model.session);
  const name = session.state === "in" || session.state === "ended" ? session.session.user.name : "";
  const administer = (session.state === "in" || session.state === "ended") && session.session.administer;
  return (
    <>
      <Entry path="/" current={page === "live"} icon="live">
        {tc("page", "Live")}
      </Entry>
      <Entry path={playbackPath([], null)} current={page === "playback"} icon="playback">
        {tc("page", "Playback")}
      </Entry>
      <span class="grow" />
      {administer && (
        <Entry path="/status" current={page === "status"} icon="status">
          {tc("page", "Status")}
        </Entry>
      )}
      {administer && (
        <Entry path="/settings" current={page === "settings"} icon="settings">
          {tc("page", "Settings")}
        </Entry>
      )}
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
