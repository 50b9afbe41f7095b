/** Container logs: reading what the runtime wrote in CRI's format, with the options of `kubectl logs`. */
import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { delay } from '../informer.ts';

export interface LogOptions {
  namespace: string;
  pod: string;
  /** Empty for the only container of a pod. */
  container: string;
  previous?: boolean;
  follow?: boolean;
  tailLines?: number;
  sinceSeconds?: number;
  /** RFC 3339. */
  sinceTime?: string;
  timestamps?: boolean;
  limitBytes?: number;
  /** `All`, `Stdout` or `Stderr`. */
  stream?: string;
  signal?: AbortSignal;
}

export interface LogSource {
  path: string;
  /** Whether more may be written; a follow ends when it is false and all is read. */
  isRunning: () => Promise<boolean>;
}

interface Line {
  time: string;
  stream: string;
  text: Buffer;
  /** The line goes on in the next record. */
  partial: boolean;
}

const CHUNK = 64 * 1024;
const POLL_MS = 200;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Splits `2026-01-01T00:00:00.000000000Z stdout F text`; undefined for anything else. */
function parseLine(line: Buffer): Line | undefined {
  const first = line.indexOf(SPACE);
  const second = line.indexOf(SPACE, first + 1);
  const third = line.indexOf(SPACE, second + 1);
  if (first < 0 || second < 0) return undefined;
  const stream = line.toString('latin1', first + 1, second);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const tag = line.toString('latin1', second + 1, third < 0 ? line.length : third);
  const text = third < 0 ? Buffer.alloc(0) : line.subarray(third + 1);
  return { time: line.toString('latin1', 0, first), stream, text, partial: tag.startsWith('P') };
}

/** The log's files, oldest first: rotated ones carry a time behind their name. */
export async function logFiles(path: string): Promise<string[]> {
  const folder = dirname(path);
  const name = basename(path);
  const names = await readdir(folder).catch((): string[] => []);
  const rotated = names.filter((candidate) => candidate.startsWith(`${name}.`)).sort();
  return [...rotated.map((candidate) => join(folder, candidate)), ...(names.includes(name) ? [path] : [])];
}

/** Raw lines of one file from `offset` on. */
async function* rawLines(path: string, state: { offset: number }): AsyncGenerator<Buffer> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return;
  try {
    let pending = Buffer.alloc(0);
    for (;;) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK), 0, CHUNK, state.offset + pending.length);
      if (bytesRead === 0) return;
      pending = Buffer.concat([pending, buffer.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = pending.indexOf(NEWLINE); end >= 0; end = pending.indexOf(NEWLINE, start)) {
        const line = pending.subarray(start, end);
        start = end + 1;
        state.offset += line.length + 1;
        yield line;
      }
      pending = pending.subarray(start);
    }
  } finally {
    await file.close();
  }
}

/** Where the last `count` lines of the files start: which file, and the offset in it. */
async function tailStart(files: readonly string[], count: number): Promise<{ file: number; offset: number }> {
  let wanted = count;
  for (let index = files.length - 1; index >= 0; index--) {
    const file = await open(files[index] as string, 'r').catch(() => undefined);
    if (file === undefined) continue;
    try {
      let position = (await file.stat()).size;
      const end = position;
      while (position > 0) {
        const length = Math.min(CHUNK, position);
        position -= length;
        const { buffer } = await file.read(Buffer.alloc(length), 0, length, position);
        for (let i = length - 1; i >= 0; i--) {
          if (buffer[i] !== NEWLINE || position + i === end - 1) continue;
          if (--wanted === 0) return { file: index, offset: position + i + 1 };
        }
      }
      // The file's first line has no newline before it.
      if (end > 0 && --wanted === 0) return { file: index, offset: 0 };
    } finally {
      await file.close();
    }
  }
  return { file: 0, offset: 0 };
}

function sinceOf({ sinceSeconds, sinceTime }: LogOptions): number {
  if (sinceTime !== undefined) return Date.parse(sinceTime);
  return sinceSeconds === undefined ? Number.NEGATIVE_INFINITY : Date.now() - sinceSeconds * 1000;
}

/** The log as the options select it, in chunks; follows rotations. */
export async function* streamLog(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  let left = options.limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const chunk of selected(source, options)) {
    if (chunk.length >= left) {
      yield chunk.subarray(0, left);
      return;
    }
    left -= chunk.length;
    yield chunk;
  }
}

async function* selected(source: LogSource, options: LogOptions): AsyncGenerator<Buffer> {
  const since = sinceOf(options);
  const wanted = options.stream === undefined || options.stream === 'All' ? undefined : options.stream.toLowerCase();
  let continued = false;
  let batch: Buffer[] = [];
  for await (const raw of allLines(source, options)) {
    const line = raw === undefined ? undefined : parseLine(raw);
    if (line !== undefined && (wanted === undefined || wanted === line.stream) && !(Date.parse(line.time) < since)) {
      if (options.timestamps === true && !continued) batch.push(Buffer.from(`${line.time} `));
      batch.push(line.text);
      if (!line.partial) batch.push(Buffer.from('\n'));
      continued = line.partial;
    }
    // `undefined` marks the end of what is there now: send before waiting for more.
    const size = batch.reduce((sum, { length }) => sum + length, 0);
    if (batch.length > 0 && (raw === undefined || size >= CHUNK)) {
      yield Buffer.concat(batch);
      batch = [];
    }
  }
  if (batch.length > 0) yield Buffer.concat(batch);
}

async function* allLines(source: LogSource, options: LogOptions): AsyncGenerator<Buffer | undefined> {
  const { tailLines, follow = false, signal } = options;
  const files = await logFiles(source.path);
  let start = { file: 0, offset: 0 };
  if (tailLines !== undefined) {
    if (tailLines > 0) start = await tailStart(files, tailLines);
    else start = { file: files.length - 1, offset: (await stat(source.path).catch(() => ({ size: 0 }))).size };
  }
  const state = { offset: start.offset };
  for (const [i, file] of files.slice(Math.max(0, start.file)).entries()) {
    if (i > 0) state.offset = 0;
    yield* rawLines(file, state);
  }
  if (!follow) return;
  let inode = (await stat(source.path).catch(() => undefined))?.ino;
  for (;;) {
    if (signal?.aborted === true) return;
    yield undefined;
    const running = await source.isRunning();
    const now = await stat(source.path).catch(() => undefined);
    if (now !== undefined && now.ino !== inode) {
      // Rotated: finish the old file, which is now the newest of the rotated ones, then start the new one.
      const rotated = (await logFiles(source.path)).at(-2);
      if (inode !== undefined && rotated !== undefined) yield* rawLines(rotated, state);
      inode = now.ino;
      state.offset = 0;
    }
    yield* rawLines(source.path, state);
    if (!running) return;
    await delay(POLL_MS, signal);
  }
}
