/** How an agent finds the CA of its cluster, and keeps its credential good. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { caHash, discoverCa, trustedCa } from '../../agent/discovery.ts';
import { UsageError } from '../../agent/options.ts';
import { TokenKeeper } from '../../agent/token-keeper.ts';
import type { Log } from '../../agent/types.ts';
import { ensurePki } from '../../cli/up/pki.ts';
import { detachedSignature } from '../../src/apimachinery/cluster-info.ts';

const PINNED = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUKHGvv/rOmsESksvS8IUYydemNbcwCgYIKoZIzj0EAwIw
ETEPMA0GA1UEAwwGcGlubmVkMCAXDTI2MTEyMTEyMDkzOVoYDzIxMjYxMDI4MTIw
OTM5WjARMQ8wDQYDVQQDDAZwaW5uZWQwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNC
AASv2R7I+TONaFcSkEHe/pM5+KuzUOTDvmhVD6DP5CmypH8t+Z5ee6VgG5eEgz6r
hM+CzOFhgD1pgfHF2QUf8RR4o1MwUTAdBgNVHQ4EFgQUEiPZrVLtD97KOPKuLNup
MxAqEUIwHwYDVR0jBBgwFoAUEiPZrVLtD97KOPKuLNupMxAqEUIwDwYDVR0TAQH/
BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA8te/5jG0A9tQO1nLDXDTskHor1gu
3MBQHtJCtd6aoLwCICox7hA8EVxRHx0suwfVqLbIj4j9WERBYB1wVLXPkvBo
-----END CERTIFICATE-----`;

let folder: string;
let server: http.Server;
let url: string;
/** What the server answers to a request with this bearer. */
let answer: (bearer: string) => [status: number, body: unknown];
let said: string[];
const log: Log = {
  debug() {},
  info: (message) => said.push(message),
  warn: (message) => said.push(message),
  error: (message) => said.push(message),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zeroplane-join-'));
  said = [];
  server = http.createServer((request, response) => {
    const [status, body] = answer((request.headers.authorization ?? '').replace('Bearer ', ''));
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  rmSync(folder, { recursive: true });
});

/** A CA of its own. */
const newCa = async (name: string): Promise<string> => readFileSync((await ensurePki(join(folder, name))).ca, 'utf8');

describe('discovery', () => {
  const TOKEN = 'abcdef.0123456789abcdef';
  const kubeconfig = (ca: string): string =>
    `apiVersion: v1\nkind: Config\nclusters:\n- name: ""\n  cluster:\n    certificate-authority-data: ${btoa(ca)}\n    server: ${url}\n`;
  const describeCluster = async (ca: string, secret = '0123456789abcdef', id = 'abcdef'): Promise<void> => {
    const text = kubeconfig(ca);
    const data = { kubeconfig: text, [`jws-kubeconfig-${id}`]: await detachedSignature(text, id, secret) };
    answer = () => [200, { data }];
  };

  it('takes what is signed and pinned, and leaves what is not pinned', async () => {
    const [own, other] = [await newCa('own'), await newCa('other')];
    await describeCluster(`${other}\n${own}\n`);
    expect((await discoverCa(url, TOKEN, [caHash(own)])).trim()).toBe(own.trim());
  });

  it('refuses a CA that is not pinned, what another has signed, and what nobody may read', async () => {
    const [own, other] = [await newCa('own'), await newCa('other')];
    await describeCluster(other);
    await expect(discoverCa(url, TOKEN, [caHash(own)])).rejects.toThrow(/not the one that was pinned/);
    await describeCluster(own, 'fedcba9876543210');
    await expect(discoverCa(url, TOKEN, [caHash(own)])).rejects.toThrow(/not signed with the bootstrap token/);
    answer = () => [403, {}];
    await expect(discoverCa(url, TOKEN, [caHash(own)])).rejects.toThrow(UsageError);
    // The signature may come later.
    await describeCluster(own, '0123456789abcdef', 'zzzzzz');
    await expect(discoverCa(url, TOKEN, [caHash(own)])).rejects.not.toThrow(UsageError);
  });

  it('keeps what it has found, and asks again when another is pinned', async () => {
    const certificate = await newCa('own');
    await describeCluster(certificate);
    const options = {
      server: url,
      ca: undefined,
      caHashes: [caHash(certificate)],
      bootstrapToken: TOKEN,
      dataDir: folder,
    };
    const found = await trustedCa(options, log);
    answer = () => [500, {}];
    expect(await trustedCa({ ...options, bootstrapToken: undefined }, log)).toBe(found);
    await expect(trustedCa({ ...options, caHashes: [`sha256:${'0'.repeat(64)}`] }, log)).rejects.toThrow(UsageError);
    expect(await trustedCa({ ...options, ca: 'given' }, log)).toBe('given');
  });

  it('hashes as kubeadm does: the public key, as openssl prints it', () => {
    expect(caHash(PINNED)).toBe('sha256:122c37b6679bf5a3606a1b957c6948f93bb696113304381609e48f491dc28b7f');
  });
});

describe('the credential of a node', () => {
  /** A token that started and ends so many seconds from now. */
  const token = (issued: number, expires: number): string => {
    const now = Math.floor(Date.now() / 1000);
    const claims = { iat: now + issued, exp: now + expires };
    return `x.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.x`;
  };
  const FRESH = token(0, 600);
  let asked: string[];
  let keeper: TokenKeeper;
  const keep = (own: string, bootstrapToken: () => string | undefined): TokenKeeper => {
    keeper = new TokenKeeper({
      server: url,
      ca: undefined,
      nodeName: 'n',
      credential: { token: own },
      file: join(folder, 'credential.json'),
      bootstrapToken,
      log,
      retryMs: { away: 5, refused: 5 },
    });
    return keeper;
  };
  /** The server gives a fresh credential for these bearers' alone. */
  const believes = (...good: string[]): void => {
    asked = [];
    answer = (bearer) => {
      asked.push(bearer);
      if (good.includes(bearer)) return [201, { token: FRESH }];
      return [401, { kind: 'Status', status: 'Failure', reason: 'Unauthorized', code: 401 }];
    };
  };
  afterEach(() => keeper.stop());

  it('is renewed when two thirds of its life are over, and kept where only its owner reads it', async () => {
    const old = token(-67, 33);
    believes(old);
    keep(old, () => 'bootstrap');
    await expect.poll(() => keeper.current()).toBe(FRESH);
    expect(asked).toEqual([old]);
    const file = join(folder, 'credential.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ token: FRESH });
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is got anew with a bootstrap token when it has ended meanwhile', async () => {
    believes('bootstrap');
    keep(token(-600, -60), () => 'bootstrap');
    await expect.poll(() => keeper.current()).toBe(FRESH);
    expect(asked).toEqual(['bootstrap']);
  });

  it('says what is missing when there is no good bootstrap token, and takes one that comes', async () => {
    let given: string | undefined;
    believes('bootstrap');
    keep(token(-600, -60), () => given);
    await expect.poll(() => said.join()).toMatch(/ended on .*, while it did not run, and there is no bootstrap token/);
    given = 'old';
    await expect.poll(() => said.join()).toMatch(/the bootstrap token is no good any more: make one with/);
    given = 'bootstrap';
    await expect.poll(() => keeper.current()).toBe(FRESH);
  });

  it('is not got back with an old bootstrap token when it was taken away', async () => {
    believes('bootstrap');
    const own = token(0, 600);
    keep(own, () => 'bootstrap').answered(200);
    keeper.answered(401);
    await expect.poll(() => said.join()).toMatch(/it was removed/);
    expect(asked).not.toContain('bootstrap');
    expect(keeper.current()).toBe(own);
  });

  it('of another cluster is given up for one of this', async () => {
    believes('bootstrap');
    keep(token(0, 600), () => 'bootstrap').answered(401);
    await expect.poll(() => keeper.current()).toBe(FRESH);
  });

  it('is renewed at once for who wants another, also while one is on its way, and all hear of it', async () => {
    const own = token(0, 600);
    let times = 0;
    answer = () => {
      // The second wish comes before the first is granted.
      if (times++ === 0) keeper.renew();
      return [201, { token: own, ca: `${times}` }];
    };
    const heard: (string | undefined)[] = [];
    keep(own, () => undefined).subscribe(({ ca }) => heard.push(ca));
    keeper.renew();
    await expect.poll(() => heard).toEqual(['1', '2']);
    expect(keeper.credential()).toEqual({ token: own, ca: '2' });
  });

  it('that is wanted is asked for until the server gives it', async () => {
    const own = token(0, 600);
    let times = 0;
    answer = () =>
      ++times < 3 ? [503, { kind: 'Status', reason: 'ServiceUnavailable', code: 503 }] : [201, { token: FRESH }];
    keep(own, () => undefined).renew();
    await expect.poll(() => keeper.current()).toBe(FRESH);
  });

  it('is asked for again while the server is away', async () => {
    let times = 0;
    answer = () =>
      ++times < 3 ? [503, { kind: 'Status', reason: 'ServiceUnavailable', code: 503 }] : [201, { token: FRESH }];
    keep(token(-67, 33), () => undefined);
    await expect.poll(() => keeper.current()).toBe(FRESH);
  });
});
