/** The audit log of `npm start`: the API server hands its events to a socket, and here they become lines of a file. */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import http from 'node:http';
import { dirname, join } from 'node:path';
import type { Writable } from 'node:stream';
import { PolicyError, parsePolicy } from '../../src/api/audit/policy.ts';
import { UserError } from '../command.ts';

/** What the API server is to know of it. */
export interface AuditSettings {
  /** The policy's text; empty: none. */
  policy: string;
  socket: string;
}

/** Reads a policy, to be handed to the API server. Throws a UserError for one that cannot be read or makes no sense. */
export async function readAuditPolicy(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UserError(`cannot read the audit policy: ${error.message}.`);
  });
  try {
    parsePolicy(text);
  } catch (error) {
    throw error instanceof PolicyError ? new UserError(`${file}: ${error.message}.`) : error;
  }
  return text;
}

/** Takes EventLists at a socket in the data folder and appends their events to a file, `-` for the standard output. */
export class AuditLog {
  readonly socket: string;
  private readonly server: http.Server;
  private readonly out: Writable;

  private constructor(socket: string, out: Writable) {
    this.socket = socket;
    this.out = out;
    this.server = http.createServer((request, response) => {
      this.take(request).then(
        () => response.writeHead(200).end(),
        // The API server tries again, and tells in its log what is lost.
        () => response.writeHead(500).end(),
      );
    });
  }

  /** Throws a UserError when the file cannot be written. */
  static async start(data: string, path: string): Promise<AuditLog> {
    const socket = join(data, 'audit.sock');
    const log = new AuditLog(socket, path === '-' ? process.stdout : await openFile(path));
    // One that was killed leaves it behind.
    await rm(socket, { force: true });
    log.server.listen(socket);
    await once(log.server, 'listening');
    await chmod(socket, 0o600);
    return log;
  }

  async stop(): Promise<void> {
    this.server.close();
    this.server.closeAllConnections();
    await rm(this.socket, { force: true });
    if (this.out !== process.stdout) await new Promise<void>((resolve) => this.out.end(resolve));
  }

  private async take(request: http.IncomingMessage): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const { items } = JSON.parse(text) as { items: unknown[] };
    const lines = items.map((item) => `${JSON.stringify(item)}\n`).join('');
    await new Promise<void>((resolve, reject) => {
      this.out.write(lines, (error) => (error ? reject(error) : resolve()));
    });
  }
}

async function openFile(path: string): Promise<Writable> {
  try {
    await mkdir(dirname(path), { recursive: true });
    // Who asked for what is nobody else's business.
    const file = createWriteStream(path, { flags: 'a', mode: 0o600 });
    await once(file, 'open');
    return file;
  } catch (error) {
    throw new UserError(`cannot write the audit log: ${error instanceof Error ? error.message : String(error)}.`);
  }
}
