declare module "snappyjs" {
  /** Compresses into the Snappy block format, which is what remote write uses (not the framed one). */
  export function compress(uncompressed: Uint8Array): Uint8Array;
  /** @throws {Error} when the input is no Snappy block, or would be longer than `maxLength` bytes */
  export function uncompress(compressed: Uint8Array, maxLength?: number): Uint8Array;
}
