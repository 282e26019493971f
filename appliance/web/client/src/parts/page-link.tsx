/** A link to one of the page's own addresses: opened without loading anything, or by the browser in a tab of its own. */

import type { ComponentChildren } from "preact";
import { useModel } from "../app/context";

interface PageLinkProps {
  readonly path: string;
  readonly class: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

export function PageLink({ path, class: look, current = false, children }: PageLinkProps) {
  const model = useModel();
  return (
    <a
      class={look}
      href={path}
      {...(current ? { "aria-current": "page" as const } : {})}
      onClick={(e) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey || e.altKey || e.button !== 0) return;
        e.preventDefault();
        model.router.go(path);
      }}
    >
      {children}
    </a>
  );
}
