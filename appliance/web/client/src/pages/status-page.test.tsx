// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { I18nContext } from "../app/context";
import { ENGLISH, loadTranslator } from "../i18n/languages";
import { readStatus, type ServerStatus } from "../logic/server-status";
import { StatusView } from "./status-page";

const RAW = {
  running_since: "2026-03-12T09:41:00.000Z",
  cpu: 0.41,
  sent: 1_200_000,
  users: 3,
  viewers: 7,
  attention: [{ code: "first_password", message: "“admin” still has the <b>first</b> password.", hint: "Change it.", severity: "urgent", details: { user: "<b>admin</b>" } }],
  capacity: {
    measured_at: "2026-03-12T14:03:27.120Z", was_busy: false, codec: "h265", width: 1920, height: 1080, fps: 25,
    direct: 536, transcoded: 9, more_direct: 41, more_transcoded: 3,
  },
};

let root: HTMLElement;

function shown(raw: unknown, i18n = ENGLISH): string {
  const status = readStatus(raw);
  act(() => render(<I18nContext.Provider value={i18n}><StatusView status={status as ServerStatus} /></I18nContext.Provider>, root));
  return root.textContent ?? "";
}

beforeEach(() => {
  root = document.createElement("div");
  document.body.replaceChildren(root);
});
afterEach(() => act(() => render(null, root)));

describe("the status page", () => {
  it("says how much room there is, by what was measured", () => {
    const text = shown(RAW);
    expect(text).toContain("Room for 41 more direct, 3 more transcoded");
    expect(text).toContain("H.265, made as 1920×1080 at 25\u202ffps");
    expect(text).toContain("41\u202f%");
    expect(text).toContain("3 users connected");
    expect(root.querySelector(".note.bad b")?.textContent).toBe(RAW.attention[0]!.message);
    expect(text).not.toContain("busy");
  });
  it("names the command where nothing was measured yet", () => {
    const text = shown({ ...RAW, capacity: null, attention: [] });
    expect(text).toContain("Not measured yet. On the server, run: fanal bench");
    expect(text).toContain("All is well.");
    expect(text).not.toContain("more direct");
  });
  it("says that the server was busy when it was measured, and nothing of room before the load is known", () => {
    const text = shown({ ...RAW, cpu: null, capacity: { ...RAW.capacity, was_busy: true, more_direct: null, more_transcoded: null } });
    expect(text).toContain("The server was busy while it was measured");
    expect(text).not.toContain("more direct");
  });
  it("speaks French", async () => {
    const text = shown(RAW, await loadTranslator("fr"));
    expect(text).toContain("De la place pour 41 flux directs de plus, 3 transcodés de plus");
    expect(text).toContain("«\u202f<b>admin</b>\u202f» a encore le premier mot de passe. Changez-le.");
    expect(root.querySelector(".note [lang=en]")).toBeNull();
  });
  it("says in French which date, which file, how much", async () => {
    const fr = await loadTranslator("fr");
    const said = (code: string, details: unknown) => {
      shown({ ...RAW, attention: [{ code, message: "In English.", hint: "See to it.", details }] }, fr);
      expect(root.querySelector(".note.attn b")?.textContent).not.toBe("In English.");
      expect(root.querySelector(".note.attn")?.textContent).not.toContain("See to it.");
      return root.querySelector(".note.attn")?.textContent ?? "";
    };
    expect(said("certificate_ends", { day: "2026-12-01" })).toContain("Le certificat expire le 1 déc. 2026.");
    expect(said("certificate_expired", { day: "2026-01-31" })).toContain("31 janv. 2026");
    expect(said("disk_full", { folder: "/srv/fanal", megabytes: 41 })).toContain("41\u202fMo sur le disque de /srv/fanal");
    expect(said("log_lines_lost", { lines: 2 })).toContain("2 lignes du journal ont été perdues");
    expect(said("worker_isolation", { kept: "network, seals" })).toContain("renoncer à\u202f: le réseau, seals.");
    expect(said("certificate_incomplete", { file: "key.pem" })).toContain("key.pem est absent.");
    expect(said("bad_certificate", { what: "refused", why: "ee key too small" })).toContain("ee key too small");
    expect(root.querySelector(".note.attn [lang=en]")?.textContent).toBe("ee key too small");
    expect(said("bad_key", { what: "passphrase" })).toContain("openssl pkey");
    // an older server, or nonsense
    for (const details of [undefined, null, 7, { day: [], at: "soon", lines: "many", megabytes: -1 }])
      for (const code of ["first_password", "certificate_ends", "certificate_expired", "certificate_not_yet_valid", "disk_full", "log_lines_lost", "bad_chain", "authority_unusable"])
        expect(said(code, details)).not.toContain("undefined");
  });
  it("has the server’s own words for what it does not know in French", async () => {
    shown({ ...RAW, attention: [{ code: "unheard_of", message: "The tide is high.", hint: "Wait." }] }, await loadTranslator("fr"));
    expect(root.querySelector(".note.attn [lang=en]")?.textContent).toBe("The tide is high. Wait.");
  });
  it("takes nonsense for what it is", () => {
    for (const wrong of [null, 1, [], "x"]) expect(readStatus(wrong)).toBeNull();
    for (const capacity of [1, [], {}, { ...RAW.capacity, width: "x" }]) expect(readStatus({ ...RAW, capacity })?.capacity).toBeNull();
    expect(readStatus({ attention: [1, {}], cpu: -1, users: "x", running_since: "soon" })).toMatchObject({ cpu: null, users: 0, runningSince: null });
  });
});
