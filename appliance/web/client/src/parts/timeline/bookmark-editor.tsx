/** A bookmark: what it says, of which camera, when.  Deleting it can be undone (ui.md §1.6). */

import { useState } from "preact/hooks";
import { useI18n, useModel } from "../../app/context";
import type { BookmarkEditorProps } from "../../logic/timeline/contract";
import { ApiError } from "../../net/api";
import { Button, ErrorText, Field } from "../../ui/controls";
import { Icon } from "../../ui/icons";
import { Sheet } from "../../ui/sheet";
import { useTimes } from "./timeline";

const MOST_TEXT = 500;

export function BookmarkEditor(props: BookmarkEditorProps) {
  const { t } = useI18n();
  return (
    <Sheet title={props.draft.id === null ? t("New bookmark") : t("Bookmark")} place="side" close={() => props.close(null)}>
      <BookmarkForm {...props} />
    </Sheet>
  );
}

export function BookmarkForm({ draft, cameras, bookmarks, zone, close }: BookmarkEditorProps) {
  const { t } = useI18n();
  const { toasts } = useModel();
  const times = useTimes(zone);
  const [text, setText] = useState(draft.text);
  const [camera, setCamera] = useState(draft.camera);
  const [error, setError] = useState<string | null>(null);
  const [empty, setEmpty] = useState(false);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    if (text.trim() === "") {
      setEmpty(true);
      return;
    }
    setBusy(true);
    setError(null);
    try {
      close(await bookmarks.save({ ...draft, camera, text: text.trim() }));
    } catch (problem) {
      setBusy(false);
      if (!(problem instanceof ApiError)) setError(t("The server did not answer. Try again."));
      else if (problem.status === 403) setError(t("You may not change this bookmark."));
      else if (problem.code === "too_many_bookmarks") setError(t("There are too many bookmarks. Delete some that are no longer needed."));
      else if (problem.status === 404) setError(t("This bookmark or its camera was removed."));
      else setError(problem.message);
    }
  };
  const change = (value: string): void => {
    setText(value);
    setEmpty(false);
  };
  const remove = (id: string): void => {
    bookmarks.hide(id, true);
    toasts.addUndo(
      t("Bookmark deleted."),
      t("Undo"),
      () => bookmarks.hide(id, false),
      async () => {
        try {
          await bookmarks.remove(id);
        } catch {
          bookmarks.hide(id, false);
          toasts.add("bad", t("The bookmark could not be deleted. It is still there."));
        }
      },
    );
    close(null);
  };
  const name = cameras.find((c) => c.id === draft.camera)?.name ?? "";
  return (
    <form
      class="col bookmark-form"
      onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}
    >
      <dl class="facts">
        <dt>{t("Time")}</dt>
        <dd class="num">
          {times.day(draft.at)}, {times.clock(draft.at)}
          {draft.until !== null && ` – ${times.clock(draft.until)} (${times.duration(draft.until - draft.at)})`}
        </dd>
        {(draft.id !== null || cameras.length < 2) && (
          <>
            <dt>{t("Camera")}</dt>
            <dd>{name}</dd>
          </>
        )}
      </dl>
      {draft.id === null && cameras.length > 1 && (
        <div class="field">
          <label for="bookmark-camera">{t("Camera")}</label>
          <span class="picker boxed">
            <select id="bookmark-camera" value={camera} onChange={(e) => setCamera(e.currentTarget.value)}>
              {cameras.map((c) => (
                <option key={c.id} value={c.id}>
                  {c.name}
                </option>
              ))}
            </select>
            <Icon name="down" size="s" />
          </span>
        </div>
      )}
      <Field label={t("What is to be seen")} name="text" autocomplete="off" value={text} change={change} focus maxLength={MOST_TEXT} hint={t("It can be searched for.")} error={empty ? t("Say what is to be seen.") : null} />
      {error !== null && <ErrorText text={error} />}
      <div class="row actions">
        {draft.id !== null && (
          <Button kind="quiet" class="danger" onClick={() => remove(draft.id ?? "")}>
            <Icon name="trash" />
            <span>{t("Delete")}</span>
          </Button>
        )}
        <span class="grow" />
        <Button kind="quiet" onClick={() => close(null)}>
          {t("Cancel")}
        </Button>
        <Button kind="primary" type="submit" disabled={busy}>
          {t("Save bookmark")}
        </Button>
      </div>
    </form>
  );
}
