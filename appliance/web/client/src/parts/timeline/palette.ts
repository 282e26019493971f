/** The colours of the canvas: the tokens, or the system's where it insists on its own. */

const NAMES = ["s1", "bg", "line", "edge", "text", "text-2", "text-3", "accent", "on-accent", "attn", "danger", "danger-solid", "on-danger", "info", "tl-rec", "tl-rec-hi", "tl-gap"] as const;

export type Palette = Readonly<Record<(typeof NAMES)[number], string>> & { readonly font: string };

export function paletteOf(element: HTMLElement): Palette {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return { ...(Object.fromEntries(NAMES.map((name) => [name, read(name)])) as Record<(typeof NAMES)[number], string>), font: read("font") };
}
