import { createHash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

/** One entry of an archive. Owned by root unless it says otherwise; without a time, so that equal contents are equal archives. */
export interface TarEntry {
  /** Relative to the root, without a leading slash. At most 255 characters, splittable as ustar wants. */
  readonly path: string;
  readonly kind: "file" | "directory" | "symlink";
  /** Permission bits. Default 755 for directories, 644 for files. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** A file's contents: the bytes themselves, or the file they are copied from. */
  readonly content?: Buffer | { readonly from: string };
  /** Where a symbolic link points. */
  readonly target?: string;
}

const BLOCK = 512;

/** The ustar header block of an entry of `size` bytes. */
export function tarHeader(entry: TarEntry, size: number): Buffer {
  const header = Buffer.alloc(BLOCK);
  let name = entry.kind === "directory" ? `${entry.path}/` : entry.path;
  let prefix = "";
  if (Buffer.byteLength(name) > 100) {
    const cut = name.indexOf("/", name.length - 101);
    prefix = name.slice(0, cut);
    name = name.slice(cut + 1);
    if (cut < 0 || Buffer.byteLength(prefix) > 155 || Buffer.byteLength(name) > 100)
      throw new RangeError(`${entry.path} is too long for a tar header`);
  }
  const octal = (value: number, at: number, length: number): void => {
    header.write(value.toString(8).padStart(length - 1, "0"), at, length - 1, "ascii");
  };
  header.write(name, 0, 100);
  octal(entry.mode ?? (entry.kind === "directory" ? 0o755 : entry.kind === "symlink" ? 0o777 : 0o644), 100, 8);
  octal(entry.uid ?? 0, 108, 8);
  octal(entry.gid ?? 0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  header.write("        ", 148, 8, "ascii");
  header.write({ file: "0", symlink: "2", directory: "5" }[entry.kind], 156, 1, "ascii");
  header.write(entry.target ?? "", 157, 100);
  header.write("ustar\u000000", 257, 8, "ascii");
  header.write(prefix, 345, 155);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, 8, "ascii");
  return header;
}

/**
 * Writes an archive, entries in the order given.
 *
 * @returns the SHA-256 of the file, in hexadecimal digits
 */
export function writeTar(path: string, entries: readonly TarEntry[]): string {
  const hash = createHash("sha256");
  const out = openSync(path, "w", 0o644);
  const put = (bytes: Buffer): void => {
    hash.update(bytes);
    for (let done = 0; done < bytes.length; ) done += writeSync(out, bytes, done);
  };
  const pad = (size: number): void => {
    if (size % BLOCK !== 0) put(Buffer.alloc(BLOCK - (size % BLOCK)));
  };
  try {
    for (const entry of entries) {
      const content = entry.content ?? Buffer.alloc(0);
      if (Buffer.isBuffer(content)) {
        put(tarHeader(entry, content.length));
        put(content);
        pad(content.length);
        continue;
      }
      const source = openSync(content.from, "r");
      try {
        const { size } = fstatSync(source);
        put(tarHeader(entry, size));
        const chunk = Buffer.alloc(1 << 20);
        for (let left = size; left > 0; ) {
          const count = readSync(source, chunk, 0, Math.min(left, chunk.length), null);
          if (count === 0) throw new Error(`${content.from} became shorter while it was read`);
          put(chunk.subarray(0, count));
          left -= count;
        }
        pad(size);
      } finally {
        closeSync(source);
      }
    }
    put(Buffer.alloc(2 * BLOCK));
  } finally {
    closeSync(out);
  }
  return hash.digest("hex");
}
