/** Changes said to screen readers, politely. */

import { useModel } from "../app/context";
import { useStore } from "../ui/hooks";

export function Announcements() {
  const text = useStore(useModel().spoken);
  return (
    <div class="vh" role="status" aria-live="polite">
      {text}
    </div>
  );
}
