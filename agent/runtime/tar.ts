/** A small ustar writer: enough for OCI layers and layouts. */

export type TarEntry =
  | { path: string; data: Buffer; mode?: number }
  | { path: string; directory: true; mode?: number }
  | { path: string; link: string };

const BLOCK = 512;

function header(path: string, type: string, mode: number, size: number, link: string): Buffer {
  const block = Buffer.alloc(BLOCK);
  let name = path;
  let prefix = '';
  if (Buffer.byteLength(name) > 100) {
    const slash = name.lastIndexOf('/', 155);
    prefix = name.slice(0, slash);
    name = name.slice(slash + 1);
    if (slash < 0 || Buffer.byteLength(name) > 100) throw new Error(`path too long for a tar archive: ${path}`);
  }
  const octal = (value: number, at: number, length: number): void => {
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
  };
  block.write(name, 0);
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size, 124, 12);
  octal(0, 136, 12);
  block.write(' '.repeat(8), 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\x0000', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** The entries as a tar archive, parent folders added where they are missing; owned by root, dated 1970. */
export function tar(entries: readonly TarEntry[]): Buffer {
  const known = new Set(entries.flatMap((entry) => ('directory' in entry ? [entry.path.replace(/\/$/, '')] : [])));
  const blocks: Buffer[] = [];
  const directory = (path: string, mode: number): void => {
    blocks.push(header(`${path}/`, '5', mode, 0, ''));
  };
  for (const entry of entries) {
    const parts = entry.path.split('/').filter((part) => part !== '');
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      if (!known.has(parent)) {
        known.add(parent);
        directory(parent, 0o755);
      }
    }
    if ('directory' in entry) directory(parts.join('/'), entry.mode ?? 0o755);
    else if ('link' in entry) blocks.push(header(entry.path, '2', 0o777, 0, entry.link));
    else {
      const padding = Buffer.alloc((BLOCK - (entry.data.length % BLOCK)) % BLOCK);
      blocks.push(header(entry.path, '0', entry.mode ?? 0o644, entry.data.length, ''), entry.data, padding);
    }
  }
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}
