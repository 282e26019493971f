// @vitest-environment happy-dom
import { render, type ComponentChild } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { I18nContext, ModelContext } from "../../app/context";
import type { Model } from "../../app/model";
import { Toasts } from "../../app/toasts";
import { ENGLISH, loadTranslator } from "../../i18n/languages";
import { Store } from "../../logic/store";
import type { Axis } from "../../logic/timeline/axis";
import type { Bookmark, LaneCamera, LaneData, Span, TransportState } from "../../logic/timeline/contract";
import { Times } from "../../logic/timeline/times";
import { DAY, HOUR, Zone } from "../../logic/timeline/zone";
import { ApiError } from "../../net/api";
import { BookmarkForm } from "./bookmark-editor";
import { MonthView } from "./day-picker";
import { DownloadList } from "./download";
import { GoToTimeForm } from "./go-to-time";
import { laneAt, layoutFor, RULER } from "./layout";
import { MomentsPanel } from "./moments-panel";
import { paint, type Scene } from "./paint";
import { SelectionBar } from "./selection-bar";
import { Transport } from "./transport";
import { ZoomBar } from "./zoom-bar";

const ZONE = "Europe/Paris";
const PARIS = new Zone(ZONE);
const at = (hour: number, minute = 0, second = 0): number => PARIS.at(2026, 3, 12, hour, minute, second);
const NOW = at(14, 46);
const now = (): number => NOW;
const CAMERAS: readonly LaneCamera[] = [
  { id: "1", name: "Front gate", export: true },
  { id: "2", name: "<b>Dock</b>", export: false },
];

let root: HTMLElement;
let i18n = ENGLISH;
const open = vi.fn();
let toasts: Toasts;
let ended = 0;

function show(child: ComponentChild): void {
  const model = { toasts, i18n: new Store(i18n), api: { open }, sessionEnded: () => ended++ } as unknown as Model;
  void act(() => {
    render(
      <ModelContext.Provider value={model}>
        <I18nContext.Provider value={i18n}>{child}</I18nContext.Provider>
      </ModelContext.Provider>,
      root,
    );
  });
}

const all = <T extends HTMLElement>(selector: string): T[] => [...root.querySelectorAll<T>(selector)];
const button = (name: string): HTMLButtonElement => {
  const found = all<HTMLButtonElement>("button, a").find((b) => (b.getAttribute("aria-label") ?? b.textContent ?? "").trim() === name);
  if (!found) throw new Error(`no button ${name} in ${root.textContent}`);
  return found;
};
const click = (element: HTMLElement): void => void act(() => element.click());
const settled = async (): Promise<void> => act(async () => new Promise((done) => setTimeout(done)));
const type = (text: string): void =>
  void act(() => {
    const input = root.querySelector("input");
    if (!input) throw new Error("nothing to type in");
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
const submit = (): void => void act(() => void root.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));

beforeEach(() => {
  vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined }));
  root = document.body.appendChild(document.createElement("div"));
  toasts = new Toasts();
  i18n = ENGLISH;
  ended = 0;
  open.mockReset();
});
afterEach(() => {
  void act(() => render(null, root));
  root.remove();
  vi.unstubAllGlobals();
});

describe("the canvas", () => {
  it("has a lane a camera, lower the more there are, and names beside them where there is room", () => {
    const three = layoutFor(1264, 3, false);
    expect([three.left, three.lanes.length, three.lanes[0]?.h]).toEqual([148, 3, 36]);
    const nine = layoutFor(1264, 9, false);
    expect(nine.height).toBeLessThan(350);
    expect(layoutFor(390, 1, true)).toMatchObject({ left: 0, lanes: [{ h: 64 }] });
    expect([RULER - 1, RULER + 10, three.bottom - 6, three.bottom + 1].map((y) => laneAt(three, y))).toEqual([null, 0, 2, null]);
  });

  /** A canvas that counts what is drawn on it. */
  function drawn(lane: LaneData, cameras: number, times: Times): Map<string, number> {
    const counts = new Map<string, number>();
    const own: Record<string, unknown> = {
      measureText: (text: string) => ({ width: text.length * 6 }),
      createPattern: () => ({ setTransform: () => undefined }),
    };
    const g = new Proxy(own, {
      get: (target, name: string) => target[name] ?? ((): void => void counts.set(name, (counts.get(name) ?? 0) + 1)),
    }) as unknown as CanvasRenderingContext2D;
    const layout = layoutFor(1264, cameras, false);
    const axis: Axis = { from: NOW - DAY, msPerPx: DAY / (1264 - 148), left: 148, width: 1264 - 148 };
    const names = Array.from({ length: cameras }, (_, i) => ({ id: String(i), name: `Camera ${i}`, export: true }));
    const scene = {
      axis, layout, palette: { font: "sans-serif" }, cameras: names, lanes: names.map(() => lane), bookmarks: [], position: NOW - HOUR, now: NOW, selection: null, hover: null, times,
      overview: { span: { from: NOW - DAY, to: NOW }, day: true, shares: new Float32Array(8), movement: new Float32Array(8), labels: [] },
      words: { now: "Now", noRecording: "No recording", failed: "", wholeDay: "Whole day", everything: "" }, focused: false,
    } as unknown as Scene;
    paint(g, scene, 1);
    return counts;
  }

  it("costs what there is to see, and not what was recorded", () => {
    vi.stubGlobal("DOMMatrix", class {});
    const times = new Times(ENGLISH, PARIS);
    const recorded = (count: number): LaneData => {
      const each = DAY / count;
      const spans = Array.from({ length: count }, (_, i) => ({ from: NOW - DAY + i * each, to: NOW - DAY + (i + 0.6) * each }));
      const markers = spans.map((s, i) => ({ kind: "event" as const, id: String(i), camera: "0", at: s.from, until: null, text: "" }));
      return { ranges: spans, movement: spans, known: [{ from: NOW - DAY, to: NOW }], markers, failed: false };
    };
    const sum = (counts: Map<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0);
    const usual = sum(drawn(recorded(100), 9, times));
    const much = sum(drawn(recorded(2000), 9, times));
    const most = sum(drawn(recorded(50_000), 9, times));
    // 9 lanes of 1116 px: no more than a few drawings for every third of them
    expect(much).toBeLessThan(9 * 1116);
    expect(most).toBeLessThan(2 * usual);
    expect(drawn(recorded(50_000), 9, times).get("fillText")).toBeLessThan(60);
  });
});

describe("the transport", () => {
  const STATE: TransportState = { playing: false, speed: 1, gaps: "skip", live: false };
  const transport = (state: Partial<TransportState>, more = {}) => {
    const did: string[] = [];
    const say = (what: string) => (value?: unknown) => void did.push(typeof value === "object" || value === undefined ? what : `${what} ${String(value)}`);
    const position = new Store(at(14, 18, 36) + 240);
    show(
      <Transport
        state={{ ...STATE, ...state }} position={position} zone={ZONE} onPlay={say("play")} onPause={say("pause")} onStep={say("step")} onEvent={say("event")}
        onSpeed={say("speed")} onGaps={say("gaps")} onLive={say("live")} onBookmark={say("bookmark")} {...more}
      />,
    );
    return { did, position };
  };
  it("does what its buttons say, and writes the time without rendering", async () => {
    const { did, position } = transport({});
    for (const name of ["Previous event", "One picture back", "Play", "One picture on", "Next event", "Bookmark", "Live"]) click(button(name));
    expect(did).toEqual(["event -1", "step -1", "play", "step 1", "event 1", "bookmark", "live"]);
    expect(root.querySelector(".clock")?.textContent).toBe("14:18:36.240");
    position.set(at(9) + 7);
    await new Promise((done) => requestAnimationFrame(done));
    expect(root.querySelector(".clock")?.textContent).toBe("09:00:00.007");
  });
  it("pauses, does not step where nothing can be stepped to, and says where key frames are all there is", () => {
    const { did } = transport({ playing: true, still: true, speed: 8 });
    click(button("Pause"));
    expect(did).toEqual(["pause"]);
    expect(button("One picture back").disabled).toBe(true);
    expect(root.textContent).toContain("Key frames only");
    transport({ speed: 4 });
    expect(root.textContent).not.toContain("Key frames only");
  });
  it("offers every speed, and the gaps", () => {
    HTMLDialogElement.prototype.show ??= function show(this: HTMLDialogElement) {
      this.open = true;
    };
    const { did } = transport({});
    click(button("Speed: 1×"));
    const radios = all<HTMLInputElement>("input[type=radio]");
    expect(radios.map((r) => r.parentElement?.textContent).join(" ")).toBe("1× 2× 4× 8× 16× 32× ⅛× ¼× ½× −1× −2× −4× −8× −16× −32×");
    expect(radios.filter((r) => r.checked).length).toBe(1);
    click(radios.at(-1) as HTMLInputElement);
    click(root.querySelector(".sw") as HTMLElement);
    expect(did).toEqual(["speed -32", "gaps play"]);
  });
});

describe("how much time is shown", () => {
  it("is chosen, and shown as chosen while it is", () => {
    const shown = new Store(HOUR);
    show(<ZoomBar shown={shown} />);
    const pressed = (): string[] => all('[aria-pressed="true"]').map((b) => b.textContent ?? "");
    expect(pressed()).toEqual(["1\u202fh"]);
    click(button("7 days"));
    expect([shown.get(), pressed()]).toEqual([7 * DAY, ["7 days"]]);
    void act(() => shown.set(1.3 * HOUR));
    expect(pressed()).toEqual([]);
  });
});

describe("going to a time", () => {
  const form = (typed = "") => {
    const go = vi.fn();
    const close = vi.fn();
    show(<GoToTimeForm position={at(11)} now={now} zone={ZONE} go={go} close={close} typed={typed} />);
    return { go, close };
  };
  it("says what it understood, and goes there", () => {
    const { go, close } = form();
    type("yesterday 9");
    expect(root.textContent).toContain("Wed 11 March, 09:00:00");
    submit();
    expect(go).toHaveBeenCalledWith(PARIS.at(2026, 3, 11, 9));
    expect(close).toHaveBeenCalled();
  });
  it("says what it did not understand, and stays", () => {
    const { go } = form();
    type("soon");
    submit();
    expect(go).not.toHaveBeenCalled();
    expect(root.querySelector("[role=status]")?.textContent).toBe("Not understood. Try 14:18, yesterday 9 or 12/3 14:18.");
    expect(root.querySelector("input")?.getAttribute("aria-invalid")).toBe("true");
    type("18:00");
    expect(root.textContent).toContain("is still to come");
  });
  it("offers both times of a repeated hour", () => {
    const { go } = form("26/10/2025 2:30");
    click(button("Or 02:30:00 CET"));
    expect(go).toHaveBeenCalledWith(Date.UTC(2025, 9, 26, 1, 30));
  });
  it("speaks French", async () => {
    i18n = await loadTranslator("fr");
    const { go } = form();
    type("hier 9h30");
    expect(root.textContent).toContain("mer. 11 mars, 09:30:00");
    submit();
    expect(go).toHaveBeenCalledWith(PARIS.at(2026, 3, 11, 9, 30));
  });
});

describe("the calendar", () => {
  const SPANS: readonly Span[] = [{ from: PARIS.at(2026, 3, 3, 6), to: PARIS.at(2026, 3, 3, 18) }, { from: PARIS.at(2026, 3, 12, 8), to: NOW }];
  const month = async (recorded = vi.fn(async () => [...SPANS])) => {
    const choose = vi.fn();
    const data = { recorded, bounds: () => ({ from: SPANS[0]?.from ?? 0, to: NOW }) } as never;
    show(<MonthView cameras={CAMERAS} data={data} position={new Store(at(11))} now={now} zone={ZONE} choose={choose} />);
    await settled();
    return choose;
  };
  it("fills days by what was recorded, and goes to the same time of another day", async () => {
    const choose = await month();
    const third = button("Tuesday 3 March 2026, 12\u202fh recorded");
    expect((third.querySelector(".day-bar > span") as HTMLElement).style.width).toBe("50%");
    click(third);
    expect(choose).toHaveBeenCalledWith(PARIS.at(2026, 3, 3, 11));
    expect(all("[aria-current=date]").map((b) => b.textContent)).toEqual(["12"]);
  });
  it("says where nothing was recorded, and offers the nearest day", async () => {
    const choose = await month();
    click(button("Thursday 5 March 2026, nothing recorded"));
    await settled();
    expect(root.querySelector("[role=status]")?.textContent).toContain("Nothing was recorded on 5 March.");
    click(button("Nearest day with recordings"));
    expect(choose).toHaveBeenCalledWith(PARIS.at(2026, 3, 3, 17));
  });
  it("does not go to what is to come", async () => {
    const choose = await month();
    const day = button("Friday 13 March 2026");
    expect(day.getAttribute("aria-disabled")).toBe("true");
    click(day);
    expect(choose).not.toHaveBeenCalled();
  });
  it("moves by the keys", async () => {
    await month();
    const active = (): string => all('[tabindex="0"]').map((b) => b.textContent ?? "").join();
    const key = (name: string): void => void act(() => void root.querySelector("table")?.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true })));
    const seen: string[] = [];
    for (const name of ["ArrowLeft", "ArrowUp", "Home", "End", "PageUp", "ArrowDown", "ArrowRight"]) {
      key(name);
      seen.push(active());
    }
    expect(seen).toEqual(["11", "4", "2", "8", "8", "15", "16"]);
    expect(root.querySelector("h2")?.textContent).toBe("February 2026");
  });
  it("can be used though the server does not answer", async () => {
    const choose = await month(vi.fn(async () => Promise.reject(new Error("away"))));
    expect(root.textContent).toContain("could not be loaded");
    click(button("Thursday 5 March 2026"));
    expect(choose).toHaveBeenCalledWith(PARIS.at(2026, 3, 5));
  });
});

describe("the selection", () => {
  it("is made, said, and cleared", () => {
    const selection = new Store<Span | null>(null);
    const marked = vi.fn();
    show(<SelectionBar selection={selection} cameras={CAMERAS} position={new Store(at(14, 16, 12))} now={now} zone={ZONE} onBookmark={marked} />);
    click(button("From here"));
    void act(() => selection.set({ from: at(14, 16, 12), to: at(14, 22, 48) }));
    expect(root.textContent).toContain("6\u202fmin 36\u202fs selected");
    click(button("Bookmark"));
    expect(marked).toHaveBeenCalledWith({ from: at(14, 16, 12), to: at(14, 22, 48) });
    click(button("Clear"));
    expect(selection.get()).toBeNull();
  });
});

describe("copies", () => {
  const SPAN: Span = { from: at(14), to: at(14, 5) };
  const ask = async (answer: () => Promise<Response>): Promise<{ links: string[]; said: string }> => {
    const links: string[] = [];
    const pressed = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function click(this: HTMLAnchorElement) {
      links.push(this.getAttribute("href") ?? "");
    });
    open.mockImplementation(answer);
    show(<DownloadList cameras={CAMERAS} span={SPAN} />);
    const link = button("Download Front gate as MP4") as unknown as HTMLAnchorElement;
    void act(() => void link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true })));
    await settled();
    pressed.mockRestore();
    return { links, said: toasts.list.get().map((t) => t.text).join() };
  };
  it("are offered of the cameras one may copy, as three kinds of file", () => {
    show(<DownloadList cameras={CAMERAS} span={SPAN} />);
    expect(all<HTMLAnchorElement>("a").map((a) => a.getAttribute("href"))).toEqual(
      ["mp4", "mkv", "avi"].map((f) => `/api/v1/cameras/1/recording.${f}?from=2026-03-12T13%3A00%3A00.000Z&to=2026-03-12T13%3A05%3A00.000Z`),
    );
    expect(root.textContent).not.toContain("Dock");
    show(<DownloadList cameras={CAMERAS.slice(1)} span={SPAN} />);
    expect(root.textContent).toContain("Ask your administrator");
  });
  it("begin when the server would give them", async () => {
    const { links, said } = await ask(async () => new Response("x"));
    expect(open.mock.calls[0]?.[2]).toMatchObject({ Range: "bytes=0-0" });
    expect([links.length, said]).toEqual([1, ""]);
  });
  it("are not saved where the server refuses: it is said why", async () => {
    const refused = async (status: number, code: string): Promise<string> => {
      toasts = new Toasts();
      const { links, said } = await ask(async () => Promise.reject(new ApiError(status, code, "")));
      expect(links).toEqual([]);
      return said;
    };
    expect(await refused(403, "privacy_mask")).toContain("privacy mask");
    expect(await refused(403, "no_right")).toContain("“Export”");
    expect(await refused(404, "no_recording")).toContain("Nothing of Front gate was recorded");
    await refused(401, "no_session");
    expect(ended).toBe(1);
  });
});

describe("bookmarks", () => {
  const BOOKMARK: Bookmark = { kind: "bookmark", id: "b", camera: "1", at: at(14, 26), until: null, text: "<i>Van</i>", user: "léa", mine: true };
  const form = (save: () => Promise<Bookmark>, id: string | null = null) => {
    const bookmarks = { save: vi.fn(save), remove: vi.fn(async () => undefined), hide: vi.fn(), search: async () => [BOOKMARK] };
    const close = vi.fn();
    show(<BookmarkForm draft={{ id, camera: "1", at: at(14, 26), until: null, text: "" }} cameras={CAMERAS} bookmarks={bookmarks} zone={ZONE} close={close} />);
    return { bookmarks, close };
  };
  it("are saved with a text, and not without", async () => {
    const { bookmarks, close } = form(async () => BOOKMARK);
    submit();
    expect(bookmarks.save).not.toHaveBeenCalled();
    expect(root.textContent).toContain("Say what is to be seen.");
    type("  Van ");
    submit();
    await settled();
    expect(bookmarks.save).toHaveBeenCalledWith({ id: null, camera: "1", at: at(14, 26), until: null, text: "Van" });
    expect(close).toHaveBeenCalledWith(BOOKMARK);
  });
  it("stay open where they could not be saved, and say why", async () => {
    const { close } = form(async () => Promise.reject(new ApiError(403, "no_right", "")));
    type("Van");
    submit();
    await settled();
    expect(close).not.toHaveBeenCalled();
    expect(root.querySelector("[role=alert]")?.textContent).toBe("You may not change this bookmark.");
  });
  it("are deleted when nobody thinks again", async () => {
    const { bookmarks, close } = form(async () => BOOKMARK, "b");
    click(button("Delete"));
    expect(bookmarks.hide).toHaveBeenCalledWith("b", true);
    expect(close).toHaveBeenCalledWith(null);
    const [toast] = toasts.list.get();
    expect(toast?.text).toBe("Bookmark deleted.");
    toasts.act(toast?.id ?? 0);
    expect(bookmarks.hide).toHaveBeenLastCalledWith("b", false);
    expect(bookmarks.remove).not.toHaveBeenCalled();
    click(button("Delete"));
    await toasts.settle();
    expect(bookmarks.remove).toHaveBeenCalledWith("b");
  });
  it("and events are listed, found and gone to; their texts are texts", async () => {
    const go = vi.fn();
    const edit = vi.fn();
    const other: Bookmark = { ...BOOKMARK, id: "c", camera: "2", text: "Fence", mine: false };
    const search = vi.fn(async ({ text }: { text?: string }) => [BOOKMARK, other].filter((b) => b.text.includes(text ?? "")));
    const data = {
      version: new Store(0),
      markers: async () => [{ kind: "alarm", id: "a", camera: "1", at: at(14, 18), until: null, text: "", what: "line" }],
    } as never;
    show(
      <MomentsPanel cameras={CAMERAS} data={data} bookmarks={{ search } as never} position={new Store(at(14))} now={now} zone={ZONE} go={go} edit={edit} close={() => undefined} />,
    );
    await settled();
    expect(root.querySelector("h2")?.textContent).toBe("Thu 12 March");
    expect(root.querySelector(".moment-list svg")?.getAttribute("aria-label")).toBe("Alarm");
    click(root.querySelector(".moment") as HTMLElement);
    expect(go).toHaveBeenCalledWith(at(14, 18), "1");
    expect(root.textContent).toContain("Line crossed14:18:00 · Front gate");
    click(button("Bookmarks"));
    await settled();
    expect(all(".moment-text").map((e) => e.textContent)).toEqual(["<i>Van</i>", "Fence"]);
    expect(all(".moment-list i, .moment-list b")).toEqual([]);
    // only one's own can be changed
    click(button("Edit <i>Van</i>"));
    expect(edit).toHaveBeenCalledWith(BOOKMARK);
    expect(all("button").filter((b) => b.getAttribute("aria-label")?.startsWith("Edit")).length).toBe(1);
    vi.useFakeTimers();
    type("nothing");
    await act(async () => void (await vi.advanceTimersByTimeAsync(300)));
    vi.useRealTimers();
    await settled();
    expect(root.textContent).toContain("No bookmark holds “nothing”.");
  });
});
