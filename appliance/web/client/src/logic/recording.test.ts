import { describe, expect, it } from "vitest";
import { ENGLISH } from "../i18n/languages";
import { readAdminCamera } from "./camera-admin";
import * as format from "./format";
import { limitsExceeded, readStock } from "./recording-settings";
import { changedRecording, inMode, NOT_RECORDED, readRecording, recordingBody, recordingFaults, timesFault, USUAL_TIMES, type Recording } from "./recording";

const SAID = {
  mode: "schedule", sub: true, pre_s: 0, post_s: 60, retention_days: 7, max_gb: 1.5,
  schedule: [{ days: ["sun", "mon"], from: "22:00", to: "06:00" }, { days: ["sat"], from: "00:00", to: "24:00" }],
};
const READ: Recording = {
  mode: "schedule", sub: true, pre: "0", post: "60", days: "7", gb: "1.5",
  schedule: [{ days: ["mon", "sun"], from: "22:00", to: "06:00" }, { days: ["sat"], from: "00:00", to: "00:00" }],
};

describe("the settings of all recordings", () => {
  it("are wrong before the server says so", () => {
    const right = { retention_days: "30", max_gb: "0", keep_free_gb: "5", seeks_per_user: "10", exports_per_user: "2" };
    const wrong = (change: Record<string, string>): string[] => Object.keys(limitsExceeded({ ...right, ...change }));
    expect([{}, { keep_free_gb: "0" }, { max_gb: "1" }].map(wrong)).toEqual([[], [], []]);
    expect(wrong({ retention_days: "0", max_gb: "-1", keep_free_gb: "10001", seeks_per_user: "", exports_per_user: "2.5" })).toEqual(Object.keys(right));
  });
});

describe("what there is", () => {
  it("is read with care", () => {
    const said = { bytes: 5, bytes_per_second: 10, oldest: "2026-03-12T14:16:00Z", disk_bytes: 9, free_bytes: 4 };
    expect(readStock(said)).toEqual({ bytes: 5, bytesPerDay: 864_000, oldest: Date.UTC(2026, 2, 12, 14, 16), disk: 9, free: 4 });
    expect(readStock({ ...said, oldest: null })?.oldest).toBeNull();
    for (const nothing of [null, {}, { ...said, bytes: "5" }]) expect(readStock(nothing)).toBeNull();
  });
  it("is said in sizes as on a disk's label", () => {
    const sizes = [640e6, 999.4e6, 999.6e6, 5.24e9, 312.4e9, 999.6e9, 1.84e12].map((n) => format.bytes(ENGLISH, n).replace("\u202f", " "));
    expect(sizes).toEqual(["640 MB", "999 MB", "1.0 GB", "5.2 GB", "312 GB", "1.0 TB", "1.8 TB"]);
  });
});

describe("how a camera is recorded", () => {
  it("is read with care", () => {
    expect(readRecording(SAID)).toEqual(READ);
    expect(readRecording({ mode: "off", sub: false, schedule: [], pre_s: 5, post_s: 30, retention_days: null, max_gb: null })).toEqual(NOT_RECORDED);
    for (const nothing of [null, 5, [], "off"]) expect(readRecording(nothing)).toEqual(NOT_RECORDED);
    expect(readRecording({ mode: "always", schedule: [5, {}, { days: ["x"], from: "1", to: "2" }, { days: ["mon"], from: "01:00:00", to: "02:00" }] })).toMatchObject({ mode: "off", schedule: [] });
    expect(readAdminCamera({ id: "1", name: "Gate", streams: [{ name: "main" }], recording: SAID })?.recording).toEqual(READ);
  });
  it("is sent as far as it changed", () => {
    expect(recordingBody(READ, READ)).toEqual({});
    const draft: Recording = { ...READ, mode: "event", pre: " 10 ", days: "", gb: "2,5", schedule: [USUAL_TIMES] };
    expect(recordingBody(draft, READ)).toEqual({ mode: "event", pre_s: 10, retention_days: null, max_gb: 2.5, schedule: [USUAL_TIMES] });
    expect(changedRecording({ ...READ, schedule: READ.schedule.slice(0, 1) }, READ)).toEqual(["schedule"]);
    expect(changedRecording({ ...READ, sub: false, post: "61" }, READ)).toEqual(["sub", "post"]);
  });
  it.each([
    [{}, []],
    [{ pre: "31" }, ["pre"]], [{ pre: "" }, ["pre"]], [{ pre: "1.5" }, ["pre"]], [{ post: "0" }, ["post"]], [{ post: "3601" }, ["post"]],
    [{ days: "0" }, ["days"]], [{ days: "" }, []], [{ days: "3651" }, ["days"]], [{ gb: "0" }, ["gb"]], [{ gb: "" }, []], [{ gb: "0.1" }, []], [{ gb: "lots" }, ["gb"]],
    [{ schedule: [] }, ["schedule"]], [{ mode: "event" as const, schedule: [] }, []],
    [{ schedule: [{ ...USUAL_TIMES, days: [] }] }, ["schedule"]],
  ])("is wrong before the server says so: %o", (change, wrong) => {
    expect([...recordingFaults({ ...READ, ...change })]).toEqual(wrong);
  });
  it("keeps nothing wrong where nobody sees it", () => {
    const wrong: Recording = { ...READ, mode: "event", pre: "31", post: "60", gb: "x", schedule: [{ ...USUAL_TIMES, days: [] }] };
    const always = inMode("continuous", wrong, READ);
    expect(always).toEqual({ ...wrong, mode: "continuous", pre: READ.pre, schedule: READ.schedule });
    expect([...recordingFaults(always)]).toEqual(["gb"]);
    expect([...recordingFaults(inMode("off", always, READ))]).toEqual([]);
    expect(inMode("schedule", wrong, READ)).toMatchObject({ pre: READ.pre, schedule: wrong.schedule });
    expect(inMode("schedule", NOT_RECORDED, NOT_RECORDED).schedule).toEqual([USUAL_TIMES]);
  });
  it("has times that say something", () => {
    const fault = (from: string, to: string): boolean => timesFault({ ...USUAL_TIMES, from, to });
    expect([fault("08:00", "08:00"), fault("", "08:00"), fault("08:00", ""), fault("8:00", "09:00")]).toEqual([true, true, true, true]);
    expect([fault("00:00", "00:00"), fault("22:00", "06:00")]).toEqual([false, false]);
  });
});
