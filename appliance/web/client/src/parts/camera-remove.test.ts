import { describe, expect, it } from "vitest";
import type { Model } from "../app/model";
import { Toasts } from "../app/toasts";
import { ENGLISH } from "../i18n/languages";
import { Store } from "../logic/store";
import { ApiError, Unreachable } from "../net/api";
import { removeCamera } from "./camera-remove";
import { NOT_RECORDED } from "../logic/recording";

const CAMERA = { id: "g", name: "Gate", streams: [], mask: [], recording: NOT_RECORDED };
const LATER = "DELETE /admin/cameras/g?in_seconds=60";
const NOW = "DELETE /admin/cameras/g";
const KEEP = "DELETE /admin/cameras/g/removal";

/** What a page says to a server that answers as `answer` does, and what it shows. */
function page(answer: (call: string) => void = () => undefined) {
  const said: string[] = [];
  const model = {
    leaving: new Store<ReadonlySet<string>>(new Set()),
    toasts: new Toasts(),
    i18n: new Store(ENGLISH),
    loadCameras: () => Promise.resolve(),
    api: {
      call: async (method: string, path: string) => {
        said.push(`${method} ${path}`);
        answer(`${method} ${path}`);
      },
    },
  };
  const texts = (): string[] => model.toasts.list.get().map((t) => t.text);
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
  };
  removeCamera(model as unknown as Model, CAMERA);
  return { said, texts, settled, model, hidden: () => model.leaving.get().has("g"), toast: () => model.toasts.list.get()[0]!.id };
}

describe("a camera that is removed", () => {
  it("is the server's to remove from the first moment, and is gone with its toast", async () => {
    const { said, texts, settled, hidden, model, toast } = page();
    expect([said, hidden(), texts()]).toEqual([[LATER], true, ["Gate removed."]]);
    model.toasts.close(toast());
    await settled();
    expect([said, hidden(), texts()]).toEqual([[LATER, NOW], true, []]);
  });
  it("stays if somebody thinks again, and is told in this order", async () => {
    const { said, texts, settled, hidden, model, toast } = page();
    model.toasts.act(toast());
    await settled();
    expect([said, hidden(), texts()]).toEqual([[LATER, KEEP], false, []]);
  });
  it("is shown again where the server does not answer, with no word of undoing", async () => {
    const { said, texts, settled, hidden } = page(() => {
      throw new Unreachable("away");
    });
    await settled();
    expect([said, hidden(), texts()]).toEqual([[LATER], false, ["Gate could not be removed. Try again in a moment."]]);
  });
  it("goes by itself if only the last word is lost", async () => {
    const { settled, texts, hidden, model, toast } = page((call) => {
      if (call === NOW) throw new Unreachable("away");
    });
    model.toasts.close(toast());
    await settled();
    expect([hidden(), texts()]).toEqual([true, []]);
  });
  it("is named where it is too late", async () => {
    const { settled, texts, model, toast } = page((call) => {
      if (call === KEEP) throw new Unreachable("away");
    });
    model.toasts.act(toast());
    await settled();
    expect(texts()).toEqual(["Gate will be removed: the server did not answer."]);
  });
  it("may be gone already", async () => {
    const { settled, texts, hidden } = page(() => {
      throw new ApiError(404, "no_camera", "");
    });
    await settled();
    expect([hidden(), texts()]).toEqual([true, ["Gate removed."]]);
  });
});
