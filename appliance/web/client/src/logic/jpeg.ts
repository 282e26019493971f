/** A picture of a transcoded stream: eight bytes of time, then one JPEG (docs/live-protocol.md). */

/** UTC milliseconds, big-endian. */
export const STAMP_BYTES = 8;
const MOST_UTC_MS = 8.64e15;

/** UTC milliseconds of a picture, or null if what came is not one. */
export function pictureTime(data: ArrayBuffer): number | null {
  if (data.byteLength < STAMP_BYTES + 4) return null;
  const view = new DataView(data);
  // SOI, and the first byte of whatever marker follows
  if (view.getUint16(STAMP_BYTES) !== 0xffd8 || view.getUint8(STAMP_BYTES + 2) !== 0xff) return null;
  const utc = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  return utc <= MOST_UTC_MS ? utc : null;
}

/** The JPEG alone. */
export function jpegOf(data: ArrayBuffer): Blob {
  return new Blob([new Uint8Array(data, STAMP_BYTES)], { type: "image/jpeg" });
}
