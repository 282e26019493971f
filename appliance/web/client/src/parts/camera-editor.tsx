/** One camera: found by its address, looked at, named and added; or changed.  Its password is never shown again. */

import { useEffect, useRef, useState } from "preact/hooks";
import { useI18n, useModel } from "../app/context";
import { freeName, hostOf, isDemo, isInside, placeOf } from "../logic/camera-address";
import type { AdminCamera, TestResult } from "../logic/camera-admin";
import {
  changeBody, changedFields, draftOf, EMPTY, faultsOf, leavesHost, newBody, testBody, testKey, tidied, unpinned, type Draft, type FieldName,
} from "../logic/camera-draft";
import { NOT_RECORDED } from "../logic/recording";
import { usualAddresses, type Usual } from "../logic/usual-addresses";
import { AdminApi } from "../net/admin";
import { ApiError } from "../net/api";
import { Button, ErrorText, Field } from "../ui/controls";
import { Icon } from "../ui/icons";
import { CameraAdviceNotes } from "./camera-advice";
import { CameraPicture } from "./camera-picture";
import { CameraRecording, useRecording } from "./camera-recording";
import { CameraWay } from "./camera-way";
import { faultText, refusal } from "./camera-words";
import { LeaveGuard } from "./leave-guard";
import { MaskEditor, MaskRow } from "./mask-editor";
import { SaveBar } from "./save-bar";
import { TestOutcome } from "./test-outcome";
import { UsualAddresses } from "./usual-addresses";

interface EditorProps {
  /** Null for a new one. */
  readonly camera: AdminCamera | null;
  readonly cameras: readonly AdminCamera[];
  readonly lost: boolean;
  /** It was added or changed. */
  readonly done: (camera: AdminCamera) => void;
  readonly remove: () => void;
}

interface Fault {
  /** Null: about all of it. */
  readonly field: FieldName | null;
  readonly text: string;
}

export function CameraEditor({ camera, cameras, lost, done, remove }: EditorProps) {
  const model = useModel();
  const i18n = useI18n();
  const { t, tc } = i18n;
  const saved = camera === null ? null : tidied(draftOf(camera));
  const [draft, setDraft] = useState<Draft>(saved ?? EMPTY);
  const [fault, setFault] = useState<Fault | null>(null);
  const [tested, setTested] = useState<{ readonly key: string; readonly result: TestResult } | null>(null);
  const [testing, setTesting] = useState(false);
  const [saving, setSaving] = useState(false);
  /** It is added though nothing could be seen of it. */
  const [blind, setBlind] = useState(false);
  const [asked, setAsked] = useState(false);
  const [second, setSecond] = useState(draft.sub !== "");
  const [changing, setChanging] = useState(false);
  const [masking, setMasking] = useState(false);
  const recording = useRecording(camera?.recording ?? NOT_RECORDED);
  const form = useRef<HTMLFormElement>(null);
  const round = useRef(0);
  const left = useRef(false);

  // what somebody else changed meanwhile is taken over where nothing was typed
  const before = useRef(saved);
  useEffect(() => {
    const last = before.current;
    before.current = saved;
    if (saved !== null && last !== null && testKey(saved) + saved.name !== testKey(last) + last.name) {
      setDraft((d) => {
        const typed = changedFields(d, last);
        return { ...saved, ...Object.fromEntries(typed.map((field) => [field, d[field]])) };
      });
    }
  });

  const meant = unpinned(tidied(draft), saved);
  const key = testKey(meant);
  const result = tested?.key === key ? tested.result : null;
  const signedIn = meant.username !== "" || (meant.password ?? "") !== "" || (camera?.streams[0]?.hasPassword ?? false);
  const changes = saved === null ? [] : changedFields(meant, saved);
  const moves = saved !== null && leavesHost(draft, saved);
  const changed = changes.length + recording.changes;
  const dirty = saved === null ? draft.url.trim() !== "" : changed > 0;
  const ready = result?.ok === true || blind;
  const keeps = camera?.streams[0]?.hasPassword === true && !moves;

  const focus = (name: string): void =>
    form.current?.querySelector<HTMLElement>(name === "transport" ? ".ways [aria-pressed=true]" : `[name="${name}"]`)?.focus();
  useEffect(() => {
    if (camera === null) focus("url");
    else form.current?.closest<HTMLElement>(".ed")?.focus({ preventScroll: true });
    return () => {
      left.current = true;
    };
  }, []);
  // a picture, or a certificate, is looked at first; then it gets its name
  useEffect(() => {
    const untrusted = result?.streams.some((stream) => stream.fingerprint !== null) ?? false;
    if (result?.ok !== true && !untrusted) return;
    form.current?.closest(".ed")?.scrollIntoView({ block: "start" });
    if (untrusted || camera !== null || matchMedia("(pointer: coarse)").matches) return;
    const name = form.current?.querySelector<HTMLInputElement>('[name="name"]');
    name?.focus({ preventScroll: true });
    name?.select();
  }, [tested]);
  // the camera that asks who we are gets the focus where the answer goes
  useEffect(() => {
    if (asked && result?.ok !== true) focus(draft.username === "" ? "username" : "password");
  }, [asked, tested]);

  const edit = (field: FieldName) => (value: string) => {
    setDraft((d) => ({ ...d, [field]: value }));
    setBlind(false);
    if (fault?.field === field || fault?.field === null) setFault(null);
  };
  /** Addresses are made whole when they are left, and what has a field of its own is taken out of them. */
  const settle = (): Draft => settled(draft);
  const settled = (typed: Draft): Draft => {
    const next = unpinned(tidied(typed), saved);
    setDraft({ ...next, name: typed.name });
    if (next.username !== "" || next.password !== null) setAsked(true);
    return next;
  };
  const complain = (next: Draft, needsName: boolean): boolean => {
    const faults = faultsOf(next, saved, needsName);
    const field = (["url", "sub", "transport", "fingerprint", "name"] as const).find((each) => faults[each] !== undefined);
    const kind = field === undefined ? undefined : faults[field];
    if (field === undefined || kind === undefined) return false;
    setFault({ field, text: faultText(i18n, kind, field) });
    setTimeout(() => focus(field), 0); // what is folded opens first
    return true;
  };
  const refused = (error: unknown): void => {
    if (error instanceof ApiError && error.status === 401) {
      model.sessionEnded();
      return;
    }
    const said = refusal(i18n, error);
    setFault(said);
    const field = said.field;
    if (field !== null) setTimeout(() => focus(field), 0);
  };

  const test = async (next = settle()): Promise<void> => {
    setFault(null);
    if (complain(next, false)) return;
    const mine = ++round.current;
    setTesting(true);
    try {
      const found = await new AdminApi(model.api).testCamera(testBody(next, saved, camera?.id ?? null));
      if (round.current !== mine || left.current) return;
      setTested({ key: testKey(next), result: found });
      if (found.streams.some((stream) => stream.code === "bad_credentials")) {
        setAsked(true);
        if (keeps) setChanging(true);
      }
      if (camera === null && found.ok) {
        const taken = cameras.map((each) => each.name);
        setDraft((d) => (d.name === "" ? { ...d, name: freeName(found.name || found.host, taken) } : d));
      }
    } catch (error) {
      if (round.current === mine && !left.current) refused(error);
    } finally {
      if (round.current === mine && !left.current) setTesting(false);
    }
  };
  const trust = (fingerprint: string): void => void test(settled({ ...draft, fingerprint }));
  const choose = (usual: Usual): void => {
    const both = usualAddresses(draft.url, usual);
    if (both === null) {
      setFault({ field: "url", text: t("Enter the camera’s address first, such as 192.168.1.21") });
      focus("url");
      return;
    }
    settle();
    setDraft((d) => ({ ...d, ...both }));
    setSecond(true);
    setFault(null);
    focus("url");
  };
  const cancel = (): void => {
    round.current++;
    setTesting(false);
  };

  const save = async (): Promise<boolean> => {
    const next = settle();
    setFault(null);
    if (complain(next, true)) return false;
    if (recording.faults.size > 0) {
      form.current?.querySelector<HTMLElement>(".rec [aria-invalid=true], .times:has(.errmsg) button, .rec .add-times")?.focus();
      return false;
    }
    setSaving(true);
    try {
      const api = new AdminApi(model.api);
      const body = camera !== null && saved !== null ? changeBody(next, saved) : newBody(next);
      const whole = { ...body, ...recording.body };
      const now = camera !== null ? await api.changeCamera(camera.id, whole) : await api.addCamera(whole);
      done(now);
      if (camera !== null) {
        setDraft(tidied(draftOf(now)));
        setTested(null);
        setChanging(false);
        setSaving(false);
      }
      return true;
    } catch (error) {
      setSaving(false);
      refused(error);
      return false;
    }
  };

  const submit = (e: Event): void => {
    e.preventDefault();
    if (testing || saving) return;
    void (camera !== null || ready ? save() : test());
  };
  const was = (field: "name" | "url" | "sub" | "username"): string | null => (saved !== null && changes.includes(field) ? saved[field] : null);
  const error = (field: FieldName): string | null => (fault?.field === field ? fault.text : null);
  const inside = saved !== null && isInside(saved.url);
  const showSignIn = !inside && (camera !== null || asked || meant.username !== "" || draft.password !== null);
  const failed = result !== null && !result.ok;
  const cannotSee = camera === null && failed && result.streams[0]?.ok === false && result.streams[0].code !== "bad_credentials";
  const secondFailed = failed && result.streams[0]?.ok === true;
  const title = camera === null ? t("Add a camera") : camera.name;
  return (
    <aside class="card ed" tabIndex={-1} aria-label={title}>
      <CameraPicture camera={camera} lost={lost} picture={result?.picture ?? null} busy={testing} />
      <form ref={form} class="bd" method="post" action="/" noValidate onSubmit={submit}>
        <h2 class="only-desk ell">{title}</h2>
        {testing ? (
          <p class="sm muted" role="status">
            {t("Asking {place}… This takes up to 20 s.", { place: placeOf(meant.url) })}
          </p>
        ) : result !== null ? (
          <TestOutcome result={result} signedIn={signedIn} pinned={meant.fingerprint !== ""} trust={trust} />
        ) : (
          camera !== null && <CameraAdviceNotes list={camera.streams.flatMap((stream) => stream.advice)} />
        )}
        {(camera !== null || ready) && (
          <Field label={t("Name")} name="name" autocomplete="off" value={draft.name} change={edit("name")} error={error("name")} was={was("name")} maxLength={64} />
        )}
        {inside && (
          <p class="hint">
            {isDemo(saved.url) ? t("This camera is made by Fanal itself, for trying it out.") : t("This camera is a file on the server, set up by the command line.")}
          </p>
        )}
        {!inside && (
          <Field
            label={t("Address")}
            name="url"
            autocomplete="off"
            value={draft.url}
            change={edit("url")}
            left={settle}
            hint={camera === null ? t("As in the camera’s manual, such as rtsp://192.168.1.21/stream") : ""}
            error={error("url")}
            was={was("url")}
            maxLength={2048}
          />
        )}
        {camera === null && !ready && <UsualAddresses choose={choose} />}
        {!inside && <CameraWay draft={draft} saved={saved} error={error} edit={edit} left={settle} />}
        {showSignIn && (
          <div class="two">
            <Field label={t("Camera user")} name="username" autocomplete="off" value={draft.username} change={edit("username")} error={error("username")} was={was("username")} maxLength={128} />
            {keeps && !changing ? (
              <div class="field">
                <span class="lab">{t("Camera password")}</span>
                <div class="row set-secret">
                  <span class="chip acc">
                    <Icon name="check" />
                    {tc("password", "Set")}
                  </span>
                  <Button
                    kind="quiet"
                    onClick={() => {
                      setChanging(true);
                      setTimeout(() => focus("password"), 0);
                    }}
                  >
                    {t("Change")}
                  </Button>
                </div>
              </div>
            ) : (
              <Field label={t("Camera password")} name="password" autocomplete="new-password" secret value={draft.password ?? ""} change={edit("password")} error={error("password")} maxLength={256} />
            )}
          </div>
        )}
        {showSignIn && (moves ? <p class="hint">{t("Another camera: enter its password. The one that is kept is for {host} only.", { host: hostOf(saved.url) })}</p> : <p class="hint">{t("Kept encrypted, never shown.")}</p>)}
        {inside ? null : second ? (
          <Field
            label={t("Address of a smaller stream")}
            name="sub"
            autocomplete="off"
            value={draft.sub}
            change={edit("sub")}
            left={settle}
            hint={t("For small tiles and phones. May be left empty.")}
            error={error("sub")}
            was={was("sub")}
            maxLength={2048}
          />
        ) : (
          (camera !== null || ready) && (
            <Button
              kind="quiet"
              class="start"
              onClick={() => {
                setSecond(true);
                setTimeout(() => focus("sub"), 0);
              }}
            >
              <Icon name="plus" />
              {t("Add a smaller stream")}
            </Button>
          )
        )}
        {(camera !== null || ready) && <CameraRecording form={recording} hasSub={draft.sub.trim() !== ""} />}
        {camera !== null && <MaskRow mask={camera.mask} edit={() => setMasking(true)} />}
        {fault !== null && fault.field === null && <ErrorText text={fault.text} />}
        {camera === null ? (
          <div class="ed-foot">
            {testing ? (
              <Button kind="line" block onClick={cancel}>
                {t("Cancel")}
              </Button>
            ) : (
              <Button kind="primary" block type="submit" disabled={saving}>
                {ready ? (saving ? t("Adding…") : t("Add this camera")) : failed ? t("Test again") : t("Show its picture")}
              </Button>
            )}
            {blind && <p class="hint">{t("It is added without a picture. Fanal goes on trying to reach it.")}</p>}
            {cannotSee && !blind && !testing && (
              <Button
                kind="quiet"
                block
                onClick={() => {
                  setBlind(true);
                  setDraft((d) => (d.name === "" ? { ...d, name: freeName(hostOf(d.url), cameras.map((each) => each.name)) } : d));
                  setTimeout(() => focus("name"), 0);
                }}
              >
                {t("Add it without a picture")}
              </Button>
            )}
            {secondFailed && !testing && (
              <Button
                kind="quiet"
                block
                onClick={() => {
                  setSecond(false);
                  edit("sub")("");
                }}
              >
                {t("Leave the smaller stream out")}
              </Button>
            )}
          </div>
        ) : (
          <>
            <div class="row wrap ed-tools">
              {testing ? (
                <Button kind="line" onClick={cancel}>
                  {t("Cancel")}
                </Button>
              ) : (
                <Button kind="line" onClick={() => void test()}>
                  <Icon name="retry" />
                  {t("Test")}
                </Button>
              )}
              <span class="grow" />
              <Button kind="quiet" class="danger" onClick={remove}>
                <Icon name="trash" />
                {t("Remove this camera")}
              </Button>
            </div>
            <SaveBar
              changes={changed}
              wrong={recording.faults.size}
              saving={saving}
              undo={() => {
                setDraft(saved ?? EMPTY);
                recording.undo();
                setFault(null);
                setChanging(false);
                setSecond((saved?.sub ?? "") !== "");
              }}
            />
          </>
        )}
      </form>
      {masking && camera !== null && <MaskEditor camera={camera} lost={lost} done={done} close={() => setMasking(false)} />}
      <LeaveGuard active={dirty && !saving} save={camera === null ? null : save} />
    </aside>
  );
}
