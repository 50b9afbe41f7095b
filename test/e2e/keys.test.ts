/** Keys are changed while the cluster is at work: whoever has a token notices nothing, until its key is retired. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpClient } from '../../agent/client.ts';
import { ROOT } from '../../cli/command.ts';
import type { Keys } from '../../cli/commands/keys.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { requestCredential } from '../../cli/up/credentials.ts';
import type { Secret } from '../../src/generated/types/core.v1.ts';

const run = promisify(execFile);

let plane: ControlPlane;
let ca: string;
let secret: string;

beforeAll(async () => {
  plane = await startControlPlane({ nodes: 'none' });
  ca = readFileSync(join(plane.data, 'pki/ca.crt'), 'utf8');
  secret = readFileSync(join(plane.data, 'bootstrap-secret'), 'utf8').trim();
});
afterAll(() => plane?.stop());

const clientWith = (token: string): HttpClient => new HttpClient({ server: plane.server, ca, token: () => token });
const newToken = async (): Promise<string> => {
  const admin = { user: 'admin', groups: ['system:masters'], ttlSeconds: 3600 };
  return (await requestCredential(plane.server, secret, admin, ca)).token;
};
const kidOf = (token: string): string =>
  JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString()).kid as string;

async function zeroplane(...args: string[]): Promise<Keys> {
  const options = ['--server', plane.server, '--ca', join(plane.data, 'pki/ca.crt'), '--output', 'json'];
  const env = { ...process.env, BOOTSTRAP_SECRET: secret };
  const { stdout } = await run(process.execPath, [join(ROOT, 'cli/main.ts'), 'keys', ...args, ...options], { env });
  return JSON.parse(stdout) as Keys;
}

it('are shown to whoever has the data folder', async () => {
  const { KUBECONFIG: _, BOOTSTRAP_SECRET: __, ...rest } = process.env;
  const list = [join(ROOT, 'cli/main.ts'), 'keys', 'list', '-o', 'json'];
  const { stdout } = await run(process.execPath, list, { env: { ...rest, KUBECONFIG: plane.kubeconfig } });
  expect((JSON.parse(stdout) as Keys).signing.map(({ state }) => state)).toContain('signs');
});

const secretOf = (i: number): Secret => ({
  kind: 'Secret',
  apiVersion: 'v1',
  metadata: { name: `s${i}`, namespace: 'default' },
  stringData: { value: `${i}` },
});

/** A Secret of the type that a controller fills with a token; its token when it is there. */
async function tokenInSecret(admin: HttpClient, name: string): Promise<string> {
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  const metadata = { name, namespace: 'default', annotations };
  await expect.poll(() => admin.get('core/serviceaccounts', 'default', 'default')).toBeDefined();
  await admin.create('core/secrets', {
    kind: 'Secret',
    apiVersion: 'v1',
    metadata,
    type: 'kubernetes.io/service-account-token',
  } as Secret);
  let token = '';
  await expect
    .poll(async () => {
      const secret = await admin.get<Secret>('core/secrets', 'default', name);
      token = atob(secret?.data?.['token'] ?? '');
      return token;
    })
    .not.toBe('');
  return token;
}

/** Who a token is, or why it is nobody. */
async function whoIs(token: string): Promise<string> {
  const review = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata: {} };
  try {
    const answer = await clientWith(token).request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: review,
    });
    return (answer as unknown as { status: { userInfo: { username: string } } }).status.userInfo.username;
  } catch (error) {
    return String(error);
  }
}

const ACCOUNT = 'system:serviceaccount:default:default';

describe('a token in a Secret', () => {
  it('is its ServiceAccount as long as the Secret is there, whichever key has signed it', async () => {
    const admin = clientWith(await newToken());
    const [before, other] = [await tokenInSecret(admin, 'before'), await tokenInSecret(admin, 'other')];
    expect([await whoIs(before), await whoIs(other)]).toEqual([ACCOUNT, ACCOUNT]);
    await admin.delete('core/secrets', 'default', 'before');
    await expect.poll(() => whoIs(before)).toContain('Unauthorized');
    expect(await whoIs(other)).toBe(ACCOUNT);
    // Another Secret of the same name holds another token.
    await tokenInSecret(admin, 'before');
    expect(await whoIs(before)).toContain('Unauthorized');
    expect((await zeroplane('list')).signing[0]).toMatchObject({ state: 'signs', until: '' });
  });
});

describe('rotation', () => {
  it('fails no request before, while and after it happens', async () => {
    const before = await newToken();
    const old = clientWith(before);
    const inSecret = await tokenInSecret(old, 'kept');
    for (let i = 0; i < 100; i++) await old.create('core/secrets', secretOf(i));
    let isOver = false;
    let answered = 0;
    const working = (async () => {
      for (; !isOver; answered++) {
        const read = await old.get<Secret>('core/secrets', 'default', `s${answered % 100}`);
        expect(read?.data).toEqual({ value: btoa(`${answered % 100}`) });
      }
    })();
    const start = await zeroplane('list');
    const rotated = await zeroplane('rotate', '--now');
    expect(rotated.signing.map(({ kid, state }) => [kid, state])).toEqual([
      [expect.not.stringMatching(kidOf(before)), 'next'],
      [kidOf(before), 'signs'],
    ]);
    expect(rotated.encryption.map(({ of }) => of)).toEqual(['cluster', 'core/secrets']);
    // Every token is good wherever it is shown, the first of the new key too.
    let after = before;
    await expect
      .poll(async () => {
        after = await newToken();
        await clientWith(after).list('core/namespaces');
        return kidOf(after);
      })
      .toBe(rotated.signing[0]?.kid);
    await expect.poll(async () => (await zeroplane('list')).encryption.some(({ rewriting }) => rewriting)).toBe(false);
    isOver = true;
    await working;
    expect(answered).toBeGreaterThan(10);
    const end = await zeroplane('list');
    expect(end.signing.map(({ kid, state }) => [kid, state])).toEqual([
      [kidOf(after), 'signs'],
      [kidOf(before), 'verifies'],
    ]);
    const dataKeys = ({ encryption }: Keys): string[] => encryption.map(({ key }) => key);
    for (const key of dataKeys(start)) expect(dataKeys(end)).not.toContain(key);
    expect(await whoIs(inSecret)).toBe(ACCOUNT);
    const { items } = await old.list<Secret>('core/secrets', { namespace: 'default', fieldSelector: 'type=Opaque' });
    expect(items).toHaveLength(100);
  });

  it('shows both keys to those who verify elsewhere', async () => {
    const { signing } = await zeroplane('list');
    const shown = (await clientWith(await newToken()).request('GET', '/openid/v1/jwks')) as unknown as {
      keys: { kid: string }[];
    };
    expect(shown.keys.map(({ kid }) => kid)).toEqual(signing.map(({ kid }) => kid));
  });

  it('ends what a key has signed when it is retired, and not the key that signs', async () => {
    const { signing } = await zeroplane('list');
    const [current = '', last = ''] = signing.map(({ kid }) => kid);
    await expect(zeroplane('retire', current)).rejects.toThrow('it signs: rotate first');
    await expect(zeroplane('retire', 'nobody')).rejects.toThrow('"nobody" not found');
    const old = clientWith(plane.token);
    expect(kidOf(plane.token)).toBe(last);
    await old.list('core/namespaces');
    expect((await zeroplane('retire', last)).signing).toHaveLength(1);
    await expect.poll(() => old.list('core/namespaces').then(() => 'good', String)).toContain('Unauthorized');
    await clientWith(await newToken()).list('core/namespaces');
  });
});
