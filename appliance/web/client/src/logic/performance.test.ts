import { describe, expect, it } from "vitest";
import { NEEDS, problemsOf, readLoad } from "./performance";
import { changesOf, readValues, typedOf, type Values } from "./settings-values";

const SAVED: Values = {
  direct: true, adaptive: true, adaptive_mode: "quality", streams_per_user: 64,
  "level1.enabled": true, "level1.max_fps": 25, "level1.max_width": 1920, "level1.max_height": 1080,
  "level2.enabled": true, "level2.cpu_percent": 70, "level2.bandwidth_kbps": 50000, "level2.max_fps": 15, "level2.max_width": 1280, "level2.max_height": 720,
  "level3.enabled": true, "level3.cpu_percent": 85, "level3.bandwidth_kbps": 80000, "level3.max_fps": 8, "level3.max_width": 640, "level3.max_height": 360,
};

describe("the performance settings", () => {
  it("are read with care", () => {
    expect(readValues({ ...SAVED, strange: [1], more: null }, NEEDS)).toEqual(SAVED);
    for (const nothing of [null, [], {}, { direct: "on" }, 5]) expect(readValues(nothing, NEEDS)).toBeNull();
    expect(readLoad({ level: { number: 2, cpu_percent: 71.5, kbps: 900 } })).toEqual({ level: 2, cpuPercent: 71.5, kbps: 900 });
    for (const nothing of [null, {}, { level: 2 }, { level: {} }]) expect(readLoad(nothing)).toBeNull();
  });
  it("go back as what they were", () => {
    expect(changesOf(typedOf(SAVED), SAVED)).toEqual({});
    expect(changesOf({ ...typedOf(SAVED), direct: false, "level2.max_fps": "12" }, SAVED)).toEqual({ direct: false, "level2.max_fps": 12 });
  });
  it.each([
    [{}, []],
    [{ "level2.max_fps": "25" }, ["level2.max_fps below 1 25"]],
    [{ "level1.max_fps": "45", "level2.max_fps": "44" }, []],
    [{ "level2.enabled": false, "level3.max_fps": "25" }, ["level3.max_fps below 1 25"]],
    [{ "level3.max_width": "1280", "level3.max_height": "720" }, ["level3.max_width size 2 1280×720"]],
    [{ "level3.max_height": "721" }, ["level3.max_height size 2 1280×720"]],
    [{ "level3.cpu_percent": "70" }, ["level3.cpu_percent above 2 70"]],
    [{ "level3.cpu_percent": "0" }, []],
    [{ "level2.cpu_percent": "0", "level2.bandwidth_kbps": "0" }, ["level2.cpu_percent threshold"]],
    [{ "level2.max_fps": "" }, ["level2.max_fps range 1 60"]],
    [{ "level2.max_fps": "1.5" }, ["level2.max_fps range 1 60"]],
    [{ "level3.enabled": false, "level3.cpu_percent": "5" }, ["level3.cpu_percent range 10 95"]],
    [{ "level2.enabled": false, "level3.enabled": false, "level2.max_fps": "60" }, []],
  ])("are wrong before the server says so: %o", (change, wrong) => {
    const found = Object.entries(problemsOf({ ...typedOf(SAVED), ...change } as Record<string, string | boolean>)).map(([field, problem]) =>
      [field, problem.kind, ..."than" in problem ? [problem.than, problem.value] : "least" in problem ? [problem.least, problem.most] : []].join(" "),
    );
    expect(found).toEqual(wrong);
  });
});
