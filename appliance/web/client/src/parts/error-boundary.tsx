/** A fault in a page's drawing stops that page and says so; the video, which is drawn elsewhere, goes on. */

import { Component, type ComponentChildren } from "preact";
import { I18nContext } from "../app/context";
import { copyText } from "../ui/clipboard";
import { Button, EmptyState } from "../ui/controls";

interface State {
  readonly fault: { readonly id: string; readonly text: string } | null;
}

export class ErrorBoundary extends Component<{ children: ComponentChildren }, State> {
  override state: State = { fault: null };

  override componentDidCatch(error: unknown): void {
    const id = Math.floor(Math.random() * 2 ** 32).toString(16).padStart(8, "0");
    const text = error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ""}` : String(error);
    console.error(id, error);
    this.setState({ fault: { id, text } });
  }

  override render() {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <I18nContext.Consumer>
        {({ t }) => (
          <EmptyState page icon="warning" title={t("This page stopped working. Video elsewhere goes on.")}>
            <p class="muted mono">{fault.id}</p>
            <div class="row wrap">
              <Button kind="primary" onClick={() => location.reload()}>
                {t("Reload page")}
              </Button>
              <Button onClick={() => void copyText(`${fault.id}\n${fault.text}\n${navigator.userAgent}`)}>{t("Copy details")}</Button>
            </div>
          </EmptyState>
        )}
      </I18nContext.Consumer>
    );
  }
}
