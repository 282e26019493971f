/** The recordings of a page: they hear what the server tells by itself, and end with the page. */

import { useEffect, useMemo } from "preact/hooks";
import { useModel } from "../../app/context";
import { Recordings } from "../../net/recordings";

/** `now`: the server's time. */
export function useRecordings(now: () => number): Recordings {
  const model = useModel();
  const recordings = useMemo(() => new Recordings(model.api, now, () => model.sessionEnded()), [model]);
  useEffect(() => {
    const hear = (event: string, body: unknown): void => recordings.told(event, body);
    model.listeners.add(hear);
    return () => {
      model.listeners.delete(hear);
      recordings.end();
    };
  }, [model, recordings]);
  return recordings;
}
