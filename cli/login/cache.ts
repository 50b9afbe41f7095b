/** Logins of this user, one file each, readable by nobody else. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Login } from './issuer.ts';

/** Where they are kept unless said. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'zeroplane', 'login');

export class LoginCache {
  private readonly folder: string;
  private readonly file: string;

  /** `key`: everything that makes one login another. */
  constructor(folder: string, key: unknown) {
    this.folder = folder;
    this.file = join(folder, `${createHash('sha256').update(JSON.stringify(key)).digest('hex')}.json`);
  }

  async read(): Promise<Login | undefined> {
    try {
      const login = JSON.parse(await readFile(this.file, 'utf8')) as Login;
      return typeof login.token === 'string' ? login : undefined;
    } catch {
      // Missing or broken: then there is none.
      return undefined;
    }
  }

  async write(login: Login): Promise<void> {
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const temporary = `${this.file}.${process.pid}.tmp`;
    await writeFile(temporary, JSON.stringify(login), { mode: 0o600 });
    await rename(temporary, this.file);
  }

  async forget(): Promise<void> {
    await rm(this.file, { force: true });
  }
}
