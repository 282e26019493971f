/** Decodes JPEG off the page's thread.  A picture's bytes come back with it: they are the file of a snapshot. */

import { jpegOf } from "../logic/jpeg";
import type { Answer, Question } from "./jpeg-decoder";

interface Scope {
  onmessage: ((event: { readonly data: Question }) => void) | null;
  postMessage(message: Answer, transfer: Transferable[]): void;
}

const scope = self as unknown as Scope;
scope.onmessage = ({ data: { id, data } }) => {
  createImageBitmap(jpegOf(data)).then(
    (bitmap) => scope.postMessage({ id, bitmap, data, why: null }, [bitmap, data]),
    (error: unknown) => scope.postMessage({ id, bitmap: null, data, why: String(error) }, [data]),
  );
};
