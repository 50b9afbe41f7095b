/** `zeroplane login` as kubectl's exec plugin: the real kubectl, a small issuer, and a browser that does as it is told. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../../cli/command.ts';
import { ensurePki, type Pki } from '../../cli/up/pki.ts';
import { hasKubectl, KUBECTL } from './support.ts';

/** A server for a test: answers every request by a function. */
class Loopback {
  private server: http.Server | undefined;
  private readonly listener: http.RequestListener;
  url = '';
  constructor(answer: (url: URL, form: URLSearchParams, headers: http.IncomingHttpHeaders) => [number, unknown]) {
    this.listener = (request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const [status, json] = answer(
          new URL(request.url ?? '/', this.url),
          new URLSearchParams(body),
          request.headers,
        );
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json));
      });
    };
  }
  async listen(tls?: https.ServerOptions): Promise<void> {
    const server = tls === undefined ? http.createServer(this.listener) : https.createServer(tls, this.listener);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.url = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    this.server = server;
  }
  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((done) => this.server?.close(done));
  }
}

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
let home: string;
let pki: Pki;
let folder: string;
let challenge: { code: string; hash: string; nonce: string } | undefined;
let seconds: number;
let grants: string[];
let pending: number;
let refuseRefresh: boolean;
let serial = 0;

const idToken = (nonce?: string): string => {
  const exp = Math.floor(Date.now() / 1000) + seconds;
  return `${part({ alg: 'none' })}.${part({ iss: issuer.url, sub: 'ann', aud: 'kubernetes', exp, nonce, n: ++serial })}.c2ln`;
};

/** The OAuth side of an issuer: what each grant is answered. */
function token(form: URLSearchParams): [number, unknown] {
  const grant = form.get('grant_type') ?? '';
  grants.push(grant.replace(/.*:/, ''));
  if (form.get('client_id') !== 'kubernetes') return [401, { error: 'invalid_client' }];
  if (grant === 'authorization_code') {
    const hash = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    if (challenge === undefined || form.get('code') !== challenge.code || hash !== challenge.hash)
      return [400, { error: 'invalid_grant' }];
    return [200, { id_token: idToken(challenge.nonce), refresh_token: 'again' }];
  }
  if (grant === 'refresh_token') {
    if (refuseRefresh || form.get('refresh_token') !== 'again') return [400, { error: 'invalid_grant' }];
    return [200, { id_token: idToken() }];
  }
  if (form.get('device_code') !== 'device') return [400, { error: 'invalid_grant' }];
  return pending-- > 0 ? [400, { error: 'authorization_pending' }] : [200, { id_token: idToken() }];
}

const issuer: Loopback = new Loopback((url, form) => {
  if (url.pathname === '/.well-known/openid-configuration') {
    const at = (path: string): string => issuer.url + path;
    return [
      200,
      {
        issuer: issuer.url,
        authorization_endpoint: at('/authorize'),
        token_endpoint: at('/token'),
        device_authorization_endpoint: at('/device'),
      },
    ];
  }
  if (url.pathname === '/device')
    return [
      200,
      {
        device_code: 'device',
        user_code: 'ABCD',
        verification_uri: `${issuer.url}/code`,
        interval: 0.01,
        expires_in: 60,
      },
    ];
  return url.pathname === '/token' ? token(form) : [404, {}];
});

/** What an API server was shown. */
const bearers: string[] = [];
const api = new Loopback((url, _, { authorization = '' }) => {
  bearers.push(authorization.replace('Bearer ', ''));
  return url.pathname === '/version' ? [200, { major: '1', minor: '36', gitVersion: 'v1.36.0' }] : [404, {}];
});

/** Does what a person does who is sent to the issuer: comes back with a code. Answers the status of that. */
async function visit(address: string, changed: Record<string, string> = {}): Promise<number> {
  const asked = new URL(address).searchParams;
  expect(asked.get('code_challenge_method')).toBe('S256');
  expect(asked.get('scope')?.split(' ')).toContain('openid');
  challenge = { code: 'code', hash: asked.get('code_challenge') ?? '', nonce: asked.get('nonce') ?? '' };
  const back = new URL(asked.get('redirect_uri') ?? '');
  const answer = { code: 'code', state: asked.get('state') ?? '', ...changed };
  for (const [name, value] of Object.entries(answer)) back.searchParams.set(name, value);
  return (await fetch(back)).status;
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command; `atLogin` is told the address at which it wants somebody to log in. */
function run(child: ChildProcess, atLogin: (url: string) => Promise<unknown> = async () => {}): Promise<Ended> {
  let [stdout, stderr] = ['', ''];
  const visits: Promise<unknown>[] = [];
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
    const url = /Log in at (\S+)\n/.exec(stderr)?.[1];
    if (url !== undefined && visits.length === 0) visits.push(atLogin(url));
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => Promise.all(visits).then(() => resolve({ code, stdout, stderr }), reject));
  });
}

const options = (): string[] => [
  ...['--issuer-url', issuer.url, '--client-id', 'kubernetes', '--no-browser', '--cache-dir', join(folder, 'cache')],
];
const login = (...args: string[]): ChildProcess =>
  spawn(process.execPath, [join(ROOT, 'cli/main.ts'), 'login', ...args]);
const tokenIn = ({ stdout }: Ended): string => (JSON.parse(stdout) as { status: { token: string } }).status.token;

beforeAll(async () => {
  await issuer.listen();
  home = mkdtempSync(join(tmpdir(), 'zeroplane-login-api-'));
  // kubectl shows no credential to a server without TLS.
  pki = await ensurePki(home);
  await api.listen({ cert: readFileSync(pki.cert), key: readFileSync(pki.key) });
});
afterAll(async () => {
  await issuer.close();
  await api.close();
  rmSync(home, { recursive: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zeroplane-login-'));
  [seconds, grants, pending, refuseRefresh] = [3600, [], 0, false];
  return () => rmSync(folder, { recursive: true });
});

describe('login', () => {
  it('logs in with the browser once, keeps what it got to itself, refreshes it, and asks again when it must', async () => {
    seconds = 10;
    const first = await run(login(...options()), visit);
    expect(first).toMatchObject({ code: 0 });
    expect(JSON.parse(first.stdout)).toMatchObject({
      kind: 'ExecCredential',
      apiVersion: 'client.authentication.k8s.io/v1',
    });
    const [file = ''] = readdirSync(join(folder, 'cache'));
    expect(statSync(join(folder, 'cache', file)).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'cache')).mode & 0o777).toBe(0o700);
    // Ten seconds are too few to be used again.
    seconds = 3600;
    const second = await run(login(...options()));
    expect(tokenIn(second)).not.toBe(tokenIn(first));
    expect(tokenIn(await run(login(...options())))).toBe(tokenIn(second));
    expect(grants).toEqual(['authorization_code', 'refresh_token']);
    await run(login(...options(), '--logout'));
    await run(login(...options()), visit);
    expect(grants).toEqual(['authorization_code', 'refresh_token', 'authorization_code']);
  });

  it('asks the person again when the issuer does not refresh', async () => {
    seconds = 1;
    await run(login(...options()), visit);
    [seconds, refuseRefresh] = [3600, true];
    expect(await run(login(...options()), visit)).toMatchObject({ code: 0 });
    expect(grants).toEqual(['authorization_code', 'refresh_token', 'authorization_code']);
  });

  it('waits for the device flow', async () => {
    pending = 2;
    const { code, stderr } = await run(login(...options(), '--device'));
    expect([code, grants]).toEqual([0, ['device_code', 'device_code', 'device_code']]);
    expect(stderr).toContain(`Log in at ${issuer.url}/code with the code ABCD`);
  });

  it('takes what cloudflared knows, and lets it log in first where it knows nothing', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const known = join(folder, 'known');
    const script = `#!/bin/sh\nif [ "$2" = login ]; then echo "$3" >> ${known}; elif [ -f ${known} ]; then echo ${idToken()}; else exit 1; fi\n`;
    writeFileSync(join(bin, 'cloudflared'), script, { mode: 0o755 });
    const access = (path: string): ChildProcess =>
      spawn(
        process.execPath,
        [join(ROOT, 'cli/main.ts'), 'login', '--access', 'https://k.example', '--cache-dir', folder],
        {
          env: { ...process.env, PATH: path },
        },
      );
    expect(tokenIn(await run(access(`${bin}:${process.env['PATH']}`)))).toMatch(/^\S+\.\S+\.c2ln$/);
    expect(readFileSync(known, 'utf8')).toBe('https://k.example\n');
    rmSync(folder, { recursive: true });
    mkdirSync(folder);
    expect((await run(access(bin))).stderr).toMatch(/^zeroplane: cloudflared is missing/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    [
      'does not let the person in',
      { error: 'access_denied', error_description: 'not today', code: '' },
      /the issuer refused/,
    ],
    ['does not know the code', { code: 'forged' }, /the issuer refused: invalid_grant/],
  ])('says so when the issuer %s', async (_, changed, said) => {
    const ended = await run(login(...options()), (url) => visit(url, changed));
    expect([ended.code, ended.stdout]).toEqual([1, '']);
    expect(ended.stderr).toMatch(said);
  });

  it('does not listen to who does not know the state', async () => {
    const ended = await run(login(...options()), async (url) => {
      expect(await visit(url, { state: 'guessed' })).toBe(404);
      await visit(url);
    });
    expect(ended.code).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['no issuer', [], /--issuer-url and --client-id, or --access, are missing/],
    ['an issuer without TLS', ['--issuer-url', 'http://issuer.example', '--client-id', 'x'], /is not https/],
    ['another protocol', ['--issuer-url', 'nonsense', '--client-id', 'x'], /is not https/],
  ])('ends in one sentence with %s', async (_, args, said) => {
    const ended = await run(login(...args));
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(said);
    expect(ended.stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe.skipIf(!hasKubectl)('kubectl', () => {
  it('shows the API server what login prints', async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    const written = await run(
      login(...options(), '--kubeconfig', kubeconfig, '--server', api.url, '--ca', pki.ca),
      visit,
    );
    expect(written).toMatchObject({ code: 0, stdout: '' });
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    expect(readFileSync(kubeconfig, 'utf8')).not.toContain('--kubeconfig');
    bearers.length = 0;
    await new Promise<void>((resolve, reject) => {
      const env = { ...process.env, KUBECONFIG: kubeconfig };
      execFile(KUBECTL, ['get', '--raw', '/version'], { env }, (error) => (error === null ? resolve() : reject(error)));
    });
    expect([...new Set(bearers)]).toEqual([tokenIn(await run(login(...options())))]);
    expect(grants).toEqual(['authorization_code']);
  });
});
