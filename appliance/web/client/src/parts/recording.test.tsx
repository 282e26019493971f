// @vitest-environment happy-dom
import { render, type ComponentChild } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { I18nContext } from "../app/context";
import { ENGLISH, loadTranslator } from "../i18n/languages";
import { applyEvent, readCamera, type Camera } from "../logic/cameras";
import { NOT_RECORDED, USUAL_TIMES, type Recording } from "../logic/recording";
import type { PlayerView } from "../player/live-player";
import { CameraRecording, useRecording, type RecordingForm } from "./camera-recording";
import { recordingTrouble } from "./texts";
import { TileChips } from "./tile";

let root: HTMLElement;
let form: RecordingForm;

function show(children: ComponentChild): void {
  act(() => render(<I18nContext.Provider value={ENGLISH}>{children}</I18nContext.Provider>, root));
}

beforeEach(() => {
  root = document.createElement("div");
  document.body.replaceChildren(root);
});
afterEach(() => act(() => render(null, root)));

function Editor({ saved, hasSub = true }: { saved: Recording; hasSub?: boolean }) {
  form = useRecording(saved);
  return <CameraRecording form={form} hasSub={hasSub} />;
}
const press = (name: string): void => {
  act(() => [...root.querySelectorAll("button")].find((b) => (b.getAttribute("aria-label") ?? b.textContent) === name)!.click());
};
function type(name: string, value: string): void {
  const field = root.querySelector<HTMLInputElement>(`[name="${name}"], [aria-label="${name}"]`)!;
  act(() => {
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
const errors = (): string[] => [...root.querySelectorAll("[role=alert]")].map((e) => e.textContent);

describe("the form of how a camera is recorded", () => {
  it("shows what counts for the way it is recorded, and sends what changed", () => {
    show(<Editor saved={NOT_RECORDED} />);
    expect([root.querySelector("input"), root.querySelector("[role=switch]"), form.body]).toEqual([null, null, {}]);
    press("Always");
    expect([...root.querySelectorAll("input")].map((i) => i.name)).toEqual(["recording.days", "recording.gb"]);
    act(() => root.querySelector<HTMLElement>("[role=switch]")!.click());
    type("recording.days", "14");
    expect(form.body).toEqual({ recording: { mode: "continuous", sub: true, retention_days: 14 } });
    expect([form.changes, root.querySelector(".was")?.textContent]).toEqual([3, "was Off"]);
    act(() => form.undo());
    expect([form.changes, root.querySelector("input")]).toEqual([0, null]);
  });
  it("says at the field what is wrong", () => {
    show(<Editor saved={{ ...NOT_RECORDED, mode: "event" }} hasSub={false} />);
    expect(root.querySelector("[role=switch]")).toBeNull();
    type("recording.pre", "31");
    type("recording.gb", "none");
    expect(errors()).toEqual(["Enter 0 to 30.", "Enter 0.1 to 1,000,000, or nothing."]);
    const field = root.querySelector<HTMLInputElement>('[name="recording.pre"]')!;
    expect(document.getElementById(field.getAttribute("aria-describedby")!)?.textContent).toBe("Enter 0 to 30.");
    expect([...form.faults]).toEqual(["pre", "gb"]);
  });
  it("has rows of days and times", () => {
    show(<Editor saved={NOT_RECORDED} />);
    press("Schedule");
    press("Sat");
    press("Mon");
    type("From", "22:00");
    type("To", "06:00");
    expect(form.draft.schedule).toEqual([{ days: ["tue", "wed", "thu", "fri", "sat"], from: "22:00", to: "06:00" }]);
    press("Add times");
    expect(document.activeElement).toBe(root.querySelector('[data-times="1"] button'));
    press("Remove these times");
    expect(form.draft.schedule).toEqual([USUAL_TIMES]);
    expect(document.activeElement).toBe(root.querySelector('[data-times="0"] button'));
    type("To", "08:00");
    expect(errors()).toEqual(["Enter two different times."]);
    press("Remove these times");
    expect([errors(), document.activeElement?.textContent]).toEqual([["Add the times at which it is recorded."], "Add times"]);
  });
  it("takes over what somebody else changed, but not over what was typed", () => {
    show(<Editor saved={{ ...NOT_RECORDED, mode: "event" }} />);
    type("recording.pre", "7");
    show(<Editor saved={{ ...NOT_RECORDED, mode: "event", pre: "9", days: "3" }} />);
    expect([form.draft.pre, form.draft.days, form.changes]).toEqual(["7", "3", 1]);
  });
  it("is French where the page is", async () => {
    const french = await loadTranslator("fr");
    act(() => render(<I18nContext.Provider value={french}><Editor saved={{ ...NOT_RECORDED, mode: "schedule", schedule: [USUAL_TIMES] }} /></I18nContext.Provider>, root));
    expect(root.querySelector<HTMLElement>(".days button")?.title).toBe("lundi");
    expect(root.textContent).toContain("Enregistrement");
    expect(root.textContent).not.toContain("Recording");
  });
});

describe("what becomes of the recording", () => {
  const said = { id: "1", name: "Gate", rights: ["live"], recorded: true, recording: "on", recording_reason: null };
  const gate = readCamera(said) as Camera;
  it("is read, and follows the server’s word", () => {
    expect([gate.recorded, gate.recording, gate.recordingReason]).toEqual([true, "on", null]);
    expect(readCamera({ ...said, recorded: 1, recording: "perhaps" })).toMatchObject({ recorded: false, recording: "off" });
    const list = [gate];
    const [after] = applyEvent(list, "camera_recording", { id: "1", recorded: true, recording: "failed", recording_reason: "disk_full" });
    expect(after).toEqual({ ...gate, recording: "failed", recordingReason: "disk_full" });
    expect(applyEvent(list, "camera_recording", { id: "2", recording: "on" })).toBe(list);
    expect(applyEvent(list, "camera_recording", null)).toBe(list);
  });
  it("is told where it fails, before all else, and nowhere else", () => {
    const view: PlayerView = { phase: "live", reason: null, codec: null, stream: null, own: null, sound: true, slow: true };
    const chips = (camera: Camera): string[] => {
      show(<TileChips camera={camera} view={view} sound size="l" />);
      return [...root.querySelectorAll(".pc")].map((c) => c.textContent);
    };
    expect(chips({ ...gate, recording: "failed", recordingReason: "disk_full" })[0]).toBe("Not recording: disk full");
    expect(root.querySelector(".pc")?.classList.contains("amb")).toBe(true);
    for (const recording of ["on", "off", "waiting"] as const) expect(chips({ ...gate, recording })).toEqual(["Low bandwidth", "Sound on"]);
    const reasons = ["disk_full", "disk_read_only", "disk_slow", "disk_failed", "unheard-of"];
    const told = reasons.map((recordingReason) => recordingTrouble(ENGLISH, { ...gate, recording: "failed", recordingReason }));
    expect(new Set(told).size).toBe(5);
    expect(told.every((each) => each?.startsWith("Not recording"))).toBe(true);
  });
});
