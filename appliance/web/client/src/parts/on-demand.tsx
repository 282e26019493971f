/** A page that is loaded when it is first shown.  One that cannot be loaded is a fault of that page. */

import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

export function OnDemand({ load }: { load: () => Promise<ComponentType> }) {
  const [loaded, setLoaded] = useState<{ Page?: ComponentType; fault?: Error }>({});
  useEffect(() => {
    let shown = true;
    load().then(
      (Page) => shown && setLoaded({ Page }),
      (fault: unknown) => shown && setLoaded({ fault: fault instanceof Error ? fault : new Error(String(fault)) }),
    );
    return () => {
      shown = false;
    };
  }, [load]);
  if (loaded.fault) throw loaded.fault;
  return loaded.Page ? <loaded.Page /> : null;
}
