import { describe, expect, it } from "vitest";
import { playbackCommand, type PlaybackKey } from "./playback-keys";

const press = (key: string, more: Partial<PlaybackKey> = {}, characters = true): string | null =>
  playbackCommand({ key, shift: false, ctrl: false, alt: false, meta: false, typing: false, ...more }, characters);

describe("keys of playback", () => {
  it("are those of ui.md §16", () => {
    const wanted = {
      " ": "play-pause", ",": "picture-back", ".": "picture-on", ArrowLeft: "seconds-back", ArrowRight: "seconds-on", j: "reverse", K: "stop", l: "forward",
      "[": "slower", "]": "faster", i: "select-from", o: "select-to", b: "bookmark", e: "investigation", ArrowUp: "zoom-in", ArrowDown: "zoom-out", g: "go-to-time",
      End: "live", "?": "help", "/": "find", t: "theme", f: "fullscreen", s: "snapshot", a: "sound", "3": "camera-3", Escape: "back",
    };
    for (const [key, command] of Object.entries(wanted)) expect(press(key), key).toBe(command);
    expect([press("ArrowLeft", { shift: true }), press("ArrowRight", { shift: true })]).toEqual(["previous-event", "next-event"]);
    expect(press("?", { shift: true })).toBe("help");
    expect([press("x"), press("0"), press("ArrowUp", { shift: true })]).toEqual([null, null, null]);
  });
  it("leave the browser's own and what is typed alone", () => {
    for (const held of ["ctrl", "alt", "meta"] as const) expect(press("j", { [held]: true })).toBeNull();
    expect([press("j", { typing: true }), press(" ", { typing: true }), press("ArrowLeft", { typing: true })]).toEqual([null, null, null]);
    expect(press("Escape", { typing: true })).toBe("back");
  });
  it("without single letters are those that have names", () => {
    expect([press("j", {}, false), press("3", {}, false), press("?", {}, false)]).toEqual([null, null, null]);
    expect([press(" ", {}, false), press("ArrowLeft", {}, false), press("End", {}, false)]).toEqual(["play-pause", "seconds-back", "live"]);
  });
});
