/** Copy text; also where the page is not encrypted and the clipboard's own interface is missing. */

export async function copyText(text: string): Promise<boolean> {
  if (window.isSecureContext) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // refused: try the old way
    }
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "vh";
  area.readOnly = true;
  const before = document.activeElement;
  // inside an open dialog everything outside is inert
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
