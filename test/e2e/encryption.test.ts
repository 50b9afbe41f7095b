/** What lies on the disk: a copy of the data folder's databases shows no Secret, and the launcher keeps the key beside them to itself. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import type { Secret } from '../../src/generated/types/core.v1.ts';

const SECRET = 'correct-horse-battery-staple';
/** As it is, and as the API carries it. */
const FORMS = [SECRET, btoa(SECRET)];

let plane: ControlPlane;
let client: HttpClient;

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none' });
  const ca = readFileSync(join(plane.data, 'pki/ca.crt'), 'utf8');
  client = new HttpClient({ server: plane.server, ca, token: () => plane.token });
});
afterAll(() => plane?.stop());

/** The database files, their write-ahead logs too, that hold one of the texts. */
function filesWith(texts: readonly string[]): string[] {
  const state = join(plane.data, 'state');
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' });
  expect(names.some((name) => name.endsWith('.sqlite'))).toBe(true);
  return names.filter((name) => {
    const bytes = contentOf(join(state, name));
    return texts.some((text) => bytes.includes(text));
  });
}

/** Nothing of a folder, nor of a file that went meanwhile, as the logs of stores do that fall asleep. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['EISDIR', 'ENOENT'].includes(code)) throw error;
    return Buffer.alloc(0);
  }
}

const secretOf = (value: string): Secret => ({
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: 'database', namespace: 'default' },
  stringData: { password: value },
});

describe('the data folder', () => {
  it('shows ConfigMaps, and no Secret, be it new, changed or deleted', async () => {
    const kind = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'plain', namespace: 'default' } };
    await client.create('core/configmaps', { ...kind, data: { motto: 'seen-by-everybody' } } as never);
    await client.create('core/secrets', secretOf(SECRET));
    const made = await client.get<Secret>('core/secrets', 'default', 'database');
    expect(made?.data).toEqual({ password: btoa(SECRET) });
    await client.update('core/secrets', { ...made, data: { password: btoa('another') } } as Secret);
    await client.delete('core/secrets', 'default', 'database');
    expect(filesWith(['seen-by-everybody'])).not.toEqual([]);
    expect(filesWith(FORMS)).toEqual([]);
  });

  it('shows none of the private keys that sign for the cluster', () => {
    expect(filesWith(['PRIVATE KEY', 'P-256'])).toEqual([]);
  });

  it('keeps its own keys, and the databases, readable by their owner alone', () => {
    for (const name of ['encryption-keys', 'bootstrap-secret']) {
      expect(statSync(join(plane.data, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(join(plane.data, 'state')).mode & 0o777).toBe(0o700);
  });
});

describe('the launcher', () => {
  it('says which key is missing, loses nothing, and goes on when it is back', async () => {
    const data = mkdtempSync(join(tmpdir(), 'zeroplane-keys-'));
    const file = join(data, 'encryption-keys');
    const start = (): Promise<ControlPlane> => startControlPlane({ nodes: 'none', controllers: 'off', data });
    try {
      await (await start()).stop();
      const key = readFileSync(file, 'utf8');
      writeFileSync(file, randomBytes(32).toString('base64'));
      const why = /zeroplane: cluster key \w+ is encrypted under the key \w{8}, which ENCRYPTION_KEYS does not hold\./;
      await expect(start()).rejects.toThrow(why);
      writeFileSync(file, 'nonsense');
      await expect(start()).rejects.toThrow('zeroplane: ENCRYPTION_KEYS must hold keys of 32 bytes in base64');
      // Another key before the old one takes its place.
      writeFileSync(file, `${randomBytes(32).toString('base64')} ${key}`);
      await (await start()).stop();
      writeFileSync(file, readFileSync(file, 'utf8').split(' ')[0] as string);
      await (await start()).stop();
    } finally {
      rmSync(data, { recursive: true, force: true });
    }
  });
});
