import type { Model } from "../app/model";
export function States({ model }: { model: Model }) { return <p>{model.router.path.get()}</p>; }
