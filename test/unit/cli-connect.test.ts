/** Where a command finds its deployment. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type ConnectionValues, keeperOf } from '../../cli/connect.ts';
import { kubeconfigText } from '../../cli/up/credentials.ts';

const folder = mkdtempSync(join(tmpdir(), 'zeroplane-connect-'));
const SERVER = 'https://127.0.0.1:6443';
const CA = '-----BEGIN CERTIFICATE-----\none\n-----END CERTIFICATE-----\n';
const OTHER = CA.replace('one', 'two');
const at = (name: string): string => join(folder, name);

beforeEach(() => {
  vi.stubEnv('KUBECONFIG', undefined);
  vi.stubEnv('BOOTSTRAP_SECRET', undefined);
  mkdirSync(at('pki'), { recursive: true });
  writeFileSync(at('pki/ca.crt'), CA);
  writeFileSync(at('bootstrap-secret'), 'beside\n');
  writeFileSync(at('own'), kubeconfigText(SERVER, { token: 't' }, CA));
  writeFileSync(at('plugin'), kubeconfigText(SERVER, { exec: { command: 'x' } }, CA));
  writeFileSync(at('other'), kubeconfigText('https://other.example', { token: 't' }, OTHER));
  writeFileSync(at('public'), kubeconfigText('https://other.example', { token: 't' }));
});
afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

describe('the deployment whose keys are meant', () => {
  const local = { server: SERVER, secret: 'beside', ca: CA };
  it.each<[string, ConnectionValues, Record<string, string>, object]>([
    ['by its kubeconfig', { kubeconfig: at('own') }, {}, local],
    ['by that of the environment', {}, { KUBECONFIG: at('own') }, local],
    ['by one without a token', { kubeconfig: at('plugin') }, {}, local],
    ['at another address', { kubeconfig: at('own'), server: 'https://x/' }, {}, { ...local, server: 'https://x' }],
    ['with a secret', { kubeconfig: at('own'), secret: 's' }, { BOOTSTRAP_SECRET: 'e' }, { ...local, secret: 's' }],
    ["with the environment's", { kubeconfig: at('own') }, { BOOTSTRAP_SECRET: 'e' }, { ...local, secret: 'e' }],
    [
      'by its address',
      { server: 'https://x', secret: 's' },
      { KUBECONFIG: at('own') },
      { server: 'https://x', secret: 's', ca: undefined },
    ],
  ])('is found: %s', async (_, values, env, expected) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    expect(await keeperOf(values)).toEqual(expected);
  });

  it.each<[string, ConnectionValues, RegExp]>([
    ['where nothing is said', {}, /^--server is missing/],
    ['nor the secret given to one of another CA', { kubeconfig: at('other') }, /secret is missing/],
    ['nor to one with a public certificate', { kubeconfig: at('public') }, /secret is missing/],
    ['in a file that there is not', { kubeconfig: at('none') }, /none cannot be read/],
    ['in what is no kubeconfig', { kubeconfig: at('bootstrap-secret') }, /has no server in its current context/],
  ])('is not found %s', async (_, values, why) => {
    await expect(keeperOf(values)).rejects.toThrow(why);
  });
});
