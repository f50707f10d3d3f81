import { closeSync, openSync, readSync } from "node:fs";

/**
 * Whether a program needs no dynamic loader, so that it runs in an image without a C library.
 *
 * @param header the file's first bytes: the ELF header and the program headers (4 KiB are enough)
 * @returns false for anything that isn't a 64-bit little-endian ELF file
 */
export function isStaticElf(header: Buffer): boolean {
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) return false;
  const offset = Number(header.readBigUInt64LE(32));
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const interpreter = 3;
  for (let index = 0; index < count; index++) {
    const at = offset + index * size;
    if (at + 4 > header.length) return false;
    if (header.readUInt32LE(at) === interpreter) return false;
  }
  return count > 0;
}

/** Whether the file at `path` is a program that needs no dynamic loader. */
export function isStaticProgram(path: string): boolean {
  const buffer = Buffer.alloc(4096);
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return false;
  }
  try {
    return isStaticElf(buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0)));
  } finally {
    closeSync(file);
  }
}
