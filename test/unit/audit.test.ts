/** The audit log: what a policy asks for, what an event holds, what never is in one, and how events leave. */
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Auditor, auditorOf } from '../../src/api/audit/auditor.ts';
import { Batch } from '../../src/api/audit/batch.ts';
import { isConfidential, objectIn } from '../../src/api/audit/bodies.ts';
import { bucketSink } from '../../src/api/audit/bucket-sink.ts';
import { type AuditEvent, auditIdOf, requestUriOf, sourceIpsOf, userAgentOf } from '../../src/api/audit/event.ts';
import { Judge } from '../../src/api/audit/match.ts';
import { type PolicyRule, parsePolicy } from '../../src/api/audit/policy.ts';
import { webhookSink } from '../../src/api/audit/webhook-sink.ts';
import { createSigningKey, publicKey, sign } from '../../src/api/authentication/signing.ts';
import type { User } from '../../src/api/authentication/user.ts';
import type { Execution } from '../../src/api/context.ts';
import { requestInfo } from '../../src/api/request-info.ts';
import { encodeProtobuf, encodeYaml } from '../../src/apimachinery/codec/index.ts';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import { type ApiServer, apiServer } from '../support/api-server.ts';
import { NO_FACTS } from '../support/no-facts.ts';

const infoOf = (method: string, path: string) => requestInfo(method, new URL(`https://api${path}`));
const POD = '/api/v1/namespaces/team/pods/p';

describe('a policy', () => {
  const policy = (rules: string, more = ''): string =>
    `apiVersion: audit.k8s.io/v1\nkind: Policy\nmetadata: {name: x}\n${more}rules:\n${rules}`;

  it('is read from YAML and from JSON', () => {
    const rules = [{ level: 'Request', resources: [{ group: '', resources: ['pods'] }], omitStages: ['Panic'] }];
    const object = { omitManagedFields: true, rules };
    expect(
      parsePolicy(
        policy(
          '- {level: Request, resources: [{group: "", resources: [pods]}], omitStages: [Panic]}',
          'omitManagedFields: true\n',
        ),
      ),
    ).toEqual(object);
    expect(parsePolicy(JSON.stringify({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', ...object }))).toEqual(object);
    expect(parsePolicy(policy('- {level: None, users: null}'))).toEqual({ rules: [{ level: 'None' }] });
  });

  it.each<[string, string]>([
    ['', 'the audit policy is no object'],
    ['{', 'the audit policy cannot be read: '],
    ['[]', 'the audit policy is no object'],
    ['apiVersion: audit.k8s.io/v1beta1\nkind: Policy', 'must be of the kind Policy in audit.k8s.io/v1'],
    ['apiVersion: audit.k8s.io/v1\nkind: Policy', 'the audit policy is illegal with 0 rules'],
    [
      policy('- level: All'),
      'rules[0].level: Unsupported value: "All": supported values: "None", "Metadata", "Request", "RequestResponse"',
    ],
    [policy('- users: [a]'), 'rules[0].level: Required value'],
    [policy('- {level: None, user: a}'), 'has an unknown field "rules[0].user"'],
    [policy('- {level: None, constructor: a}'), 'has an unknown field "rules[0].constructor"'],
    [policy('- {level: None, users: a}'), 'rules[0].users of the audit policy must be a list of texts'],
    [policy('- {level: None, users: [1]}'), 'rules[0].users of the audit policy must be a list of texts'],
    [policy('- {level: 1}'), 'rules[0].level of the audit policy must be a text'],
    [
      policy('- {level: None, omitManagedFields: 1}'),
      'rules[0].omitManagedFields of the audit policy must be true or false',
    ],
    [policy('- None'), 'rules of the audit policy must be a list of objects'],
    [policy('- {level: None, resources: [pods]}'), 'rules[0].resources of the audit policy must be a list of objects'],
    [
      policy('- {level: None, nonResourceURLs: [healthz]}'),
      `"healthz": non-resource URL rules must begin with a '/' character`,
    ],
    [
      policy('- {level: None, nonResourceURLs: ["/a*/b"]}'),
      `"/a*/b": non-resource URL wildcards '*' must be the final character of the rule`,
    ],
    [
      policy('- {level: None, nonResourceURLs: ["/a"], namespaces: [x]}'),
      'rules cannot apply to both regular resources and non-resource URLs',
    ],
    [policy('- {level: None, resources: [{group: apps/v1}]}'), 'rules[0].resources.group: Invalid value: "apps/v1"'],
    [
      policy('- {level: None, resources: [{group: "", resourceNames: [x]}]}'),
      'using resourceNames requires at least one resource',
    ],
    [
      policy('- {level: None, omitStages: [Never]}'),
      'rules[0].omitStages[0]: Invalid value: "Never": allowed stages are RequestReceived,ResponseStarted,ResponseComplete,Panic',
    ],
    [policy('- {level: None}', 'omitStages: [Never]\n'), 'omitStages[0]: Invalid value: "Never"'],
  ])('%j is refused', (text, why) => {
    expect(() => parsePolicy(text)).toThrow(why);
  });

  const jane: User = { name: 'jane', uid: '', groups: ['devs', 'system:authenticated'], extra: {} };
  const pods = (resources: string[], more: object = {}): Partial<PolicyRule> => ({
    resources: [{ group: '', resources, ...more }],
  });
  it.each<[string, Partial<PolicyRule>, string, string, boolean]>([
    ['everything', {}, 'GET', POD, true],
    ['a user', { users: ['joe', 'jane'] }, 'GET', POD, true],
    ['another user', { users: ['joe'] }, 'GET', POD, false],
    ['a group', { userGroups: ['devs'] }, 'GET', POD, true],
    ['another group', { userGroups: ['ops'] }, 'GET', POD, false],
    ['a verb', { verbs: ['get'] }, 'GET', POD, true],
    ['another verb', { verbs: ['list'] }, 'GET', POD, false],
    ['a namespace', { namespaces: ['team'] }, 'GET', POD, true],
    ['another namespace', { namespaces: ['other'] }, 'GET', POD, false],
    ['what has no namespace', { namespaces: [''] }, 'GET', '/api/v1/nodes', true],
    ['a group of resources', { resources: [{ group: '' }] }, 'GET', POD, true],
    ['the core group without a name', { resources: [{}] }, 'GET', POD, true],
    ['another group of resources', { resources: [{ group: 'apps' }] }, 'GET', POD, false],
    ['a resource', pods(['pods']), 'GET', POD, true],
    ['a resource, not its subresource', pods(['pods']), 'GET', `${POD}/log`, false],
    ['a subresource', pods(['pods/log']), 'GET', `${POD}/log`, true],
    ['all resources, with subresources', pods(['*']), 'GET', `${POD}/log`, true],
    ['a resource with all subresources', pods(['pods/*']), 'GET', `${POD}/log`, true],
    ['a resource with all subresources, itself', pods(['pods/*']), 'GET', POD, true],
    ['a subresource of all', pods(['*/log']), 'GET', `${POD}/log`, true],
    ['a subresource of all, not the resource', pods(['*/log']), 'GET', POD, false],
    ['a name', pods(['pods'], { resourceNames: ['p'] }), 'GET', POD, true],
    ['another name', pods(['pods'], { resourceNames: ['q'] }), 'GET', POD, false],
    ['resources, not paths', pods(['*']), 'GET', '/version', false],
    ['a path', { nonResourceURLs: ['/version'] }, 'GET', '/version', true],
    ['paths below', { nonResourceURLs: ['/healthz*'] }, 'GET', '/healthz/ping', true],
    ['all paths', { nonResourceURLs: ['*'] }, 'GET', '/version', true],
    ['paths, not resources', { nonResourceURLs: ['*'] }, 'GET', POD, false],
  ])('has a rule for %s', (_, rule, method, path, matches) => {
    const judge = new Judge({ rules: [{ level: 'Request', ...rule }] });
    expect(judge.judge(infoOf(method, path), jane).level).toBe(matches ? 'Request' : 'None');
  });

  it('is judged by its first rule that matches, with its own stages and the policy’s', () => {
    const judge = new Judge({
      omitStages: ['RequestReceived'],
      omitManagedFields: true,
      rules: [
        { level: 'None', users: ['joe'] },
        { level: 'Metadata', verbs: ['get'], omitStages: ['Panic'], omitManagedFields: false },
        { level: 'Request' },
      ],
    });
    expect(judge.judge(infoOf('GET', POD), jane)).toEqual({
      level: 'Metadata',
      omitStages: new Set(['RequestReceived', 'Panic']),
      omitManagedFields: false,
    });
    const expected = { level: 'Request', omitStages: new Set(['RequestReceived']), omitManagedFields: true };
    expect(judge.judge(infoOf('PUT', POD), undefined)).toEqual(expected);
  });
});

describe('what an event says of a request', () => {
  it.each<[string, string, boolean]>([
    ['its own id', 'a-1', true],
    ['one of 256 characters', 'a'.repeat(256), true],
    ['one that is longer', 'a'.repeat(257), false],
    ['one with other characters', 'a b', false],
    ['one that begins with a hyphen', '-a', false],
    ['none', '', false],
  ])('%s', (_, given, isKept) => {
    const id = auditIdOf(new Headers({ 'audit-id': given }));
    if (isKept) expect(id).toBe(given);
    else expect(id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ['nothing', {}, []],
    [
      'Cloudflare’s word last',
      { 'x-forwarded-for': '1.1.1.1, 2.2.2.2', 'cf-connecting-ip': '::3' },
      ['1.1.1.1', '2.2.2.2', '::3'],
    ],
    ['each once', { 'x-forwarded-for': '1.1.1.1', 'x-real-ip': '1.1.1.1', 'cf-connecting-ip': '1.1.1.1' }, ['1.1.1.1']],
    ['addresses only', { 'x-forwarded-for': 'unknown, <script>, 1.1.1.1' }, ['1.1.1.1']],
  ])('where it comes from: %s', (_, headers, addresses) => {
    expect(sourceIpsOf(new Headers(headers))).toEqual(addresses);
  });

  it('the path as it was sent, and no endless name', () => {
    expect(requestUriOf('https://api.example/clusters/a/api/v1/pods?limit=1')).toBe('/clusters/a/api/v1/pods?limit=1');
    expect(userAgentOf(new Headers({ 'user-agent': 'x'.repeat(2000) }))).toBe(`${'x'.repeat(1024)}...TRUNCATED`);
  });
});

describe('bodies', () => {
  it.each<[string, boolean]>([
    ['/api/v1/secrets', true],
    ['/api/v1/namespaces/a/secrets/s', true],
    ['/api/v1/namespaces/a/serviceaccounts/s/token', true],
    ['/apis/authentication.k8s.io/v1/tokenreviews', true],
    ['/api/v1/namespaces/a/serviceaccounts/s', false],
    ['/api/v1/namespaces/a/configmaps/secrets', false],
  ])('of %s are told never: %s', (path, isSo) => {
    expect(isConfidential(infoOf('POST', path))).toBe(isSo);
  });

  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', managedFields: [{ manager: 'me' }] } };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { k: 'djE=' } };
  const bare = { ...map, metadata: { name: 'm' } };
  const request = (type: string, body: string | Uint8Array): Request =>
    new Request('https://api/', { method: 'POST', headers: { 'content-type': type }, body: body as string });
  const json = (object: unknown): Request => request('application/json', JSON.stringify(object));
  it.each<[string, Request | undefined, unknown]>([
    ['JSON', json(map), map],
    ['YAML', request('application/yaml', encodeYaml(map as unknown as JsonObject)), map],
    ['protobuf', request('application/vnd.kubernetes.protobuf', encodeProtobuf(bare as unknown as JsonObject)), bare],
    [
      'a patch',
      request('application/json-patch+json', '[{"op":"remove","path":"/a"}]'),
      [{ op: 'remove', path: '/a' }],
    ],
    ['an applied one', request('application/apply-patch+yaml', 'a: 1'), { a: 1 }],
    ['a Secret', json(secret), undefined],
    ['Secrets in a list', json({ kind: 'List', items: [map, secret] }), undefined],
    ['Secrets in a table', json({ kind: 'Table', rows: [{ object: secret }] }), undefined],
    ['a token', json({ kind: 'TokenRequest', status: { token: 'x' } }), undefined],
    ['what cannot be read', json(map).clone() && request('application/json', '{'), undefined],
    ['what is of another type', request('text/plain', 'x'), undefined],
    ['nothing', undefined, undefined],
    ['too much', json({ text: 'x'.repeat(4 << 20) }), undefined],
  ])('%s', async (_, body, expected) => {
    expect(await objectIn(body, false)).toEqual(expected);
  });

  it('without managedFields where the policy says so', async () => {
    expect(await objectIn(json(map), true)).toEqual(bare);
    expect(await objectIn(json({ kind: 'List', items: [map] }), true)).toEqual({ kind: 'List', items: [bare] });
    expect(await objectIn(json({ rows: [{ object: map }] }), true)).toEqual({ rows: [{ object: bare }] });
  });
});

describe('a batch', () => {
  let pending: Promise<unknown>[] = [];
  const execution: Execution = { waitUntil: (promise) => void pending.push(promise) };
  let complaints: string[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    pending = [];
    complaints = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void complaints.push(text));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const batch = (send: (lines: readonly string[]) => Promise<void>, most = 3): Batch =>
    new Batch({ name: 'the test', delayMs: 100, most, send });

  it('sends what came together, when it has waited or is full', async () => {
    const sent: string[][] = [];
    const sink = batch(async (lines) => void sent.push([...lines]));
    sink.write('a', execution);
    sink.write('b', execution);
    expect(sent).toEqual([]);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual([['a', 'b']]);
    for (const line of ['c', 'd', 'e']) sink.write(line, execution);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([
      ['a', 'b'],
      ['c', 'd', 'e'],
    ]);
    sink.write('f', execution);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent.at(-1)).toEqual(['f']);
    expect(complaints).toEqual([]);
  });

  it('tries again, and says what is lost', async () => {
    let attempts = 0;
    const sink = batch(async () => {
      attempts++;
      if (attempts < 3 || attempts > 3) throw new Error('no');
    });
    sink.write('a', execution);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([attempts, complaints]).toEqual([3, []]);
    sink.write('b', execution);
    await vi.advanceTimersByTimeAsync(10_000);
    expect([attempts, complaints]).toEqual([6, ['1 audit events are lost: the test: no.']]);
  });

  it('does not depend on a request that was cut off', async () => {
    const sent: number[] = [];
    const sink = batch(async (lines) => void sent.push(lines.length), 1000);
    sink.write('a', execution);
    // Its timer is never heard of again.
    vi.clearAllTimers();
    vi.setSystemTime(Date.now() + 201);
    sink.write('b', execution);
    await vi.advanceTimersByTimeAsync(100);
    expect(sent).toEqual([2]);
  });

  it('does not grow without end', async () => {
    const sent: number[] = [];
    const sink = batch(async (lines) => void sent.push(lines.length), 1_000_000);
    for (let i = 0; i < 10_005; i++) sink.write('x', execution);
    await vi.advanceTimersByTimeAsync(100);
    expect([sent, complaints]).toEqual([[10_000], ['5 audit events are lost: the test: too many at once.']]);
  });

  it('goes to a webhook as an EventList, with its token', async () => {
    const posts: [string, RequestInit][] = [];
    const answers = [500, 200];
    const sink = webhookSink('the webhook', 'https://log.example/events', 'secret', {
      async fetch(url, { signal: _, ...init }) {
        posts.push([url, init]);
        return new Response('', { status: answers.shift() ?? 500 });
      },
    });
    sink.write('{"a":1}', execution);
    sink.write('{"b":2}', execution);
    await vi.advanceTimersByTimeAsync(5000);
    const headers = { 'content-type': 'application/json', authorization: 'Bearer secret' };
    const body = '{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[{"a":1},{"b":2}]}';
    const post = ['https://log.example/events', { method: 'POST', headers, body, redirect: 'manual' }];
    // The first was not taken.
    expect(posts).toEqual([post, post]);
    expect(complaints).toEqual([]);
  });

  it('goes to a bucket as gzipped lines, by the hour', async () => {
    vi.setSystemTime(new Date('2026-11-21T13:05:07.123Z'));
    const objects: [string, string][] = [];
    const sink = bucketSink({
      put: async (key, value) => void objects.push([key, gunzipSync(Buffer.from(value)).toString()]),
    });
    sink.write('{"a":1}', execution);
    sink.write('{"b":2}', execution);
    await vi.advanceTimersByTimeAsync(10_000);
    vi.useRealTimers();
    await Promise.all(pending);
    expect(objects).toEqual([
      [expect.stringMatching(/^audit\/2026-11-21\/13\/13-05-17\.123-[-0-9a-f]{36}\.jsonl\.gz$/), '{"a":1}\n{"b":2}\n'],
    ]);
  });
});

describe('the settings', () => {
  it('ask for nothing when there are none', () => {
    expect(auditorOf({})).toBeUndefined();
    expect(auditorOf({ AUDIT_POLICY: '', AUDIT_LOG: '', AUDIT_WEBHOOK_URL: '' })).toBeUndefined();
  });

  it('with a policy that makes no sense note down the metadata of everything', () => {
    const complaints: string[] = [];
    const lines: string[] = [];
    vi.spyOn(console, 'error').mockImplementation((text: string) => void complaints.push(text));
    vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
    const auditor = auditorOf({ AUDIT_POLICY: 'nonsense' });
    const record = auditor?.begin(new Request(`https://api${POD}`), infoOf('GET', POD), undefined);
    expect(record?.identified({ name: 'jane', uid: '', groups: [], extra: {} }, false)).toBe(true);
    vi.restoreAllMocks();
    expect(complaints).toEqual([
      'Until this is mended, the metadata of every request is noted down: the audit policy is no object.',
    ]);
    expect(lines.map((line) => (JSON.parse(line) as AuditEvent).level)).toEqual(['Metadata']);
  });
});

describe('a request through the API server', () => {
  const ISSUER = 'https://kubernetes.default.svc.cluster.local/own';
  let events: AuditEvent[] = [];
  let pending: Promise<unknown>[] = [];
  let tokens: Record<'root' | 'jane', string>;
  let key: Awaited<ReturnType<typeof createSigningKey>>;

  // The isolate keeps the cluster's keys.
  beforeAll(async () => {
    key = await createSigningKey();
    const minted = async (user: string, groups: string[]) =>
      (await sign(key, ISSUER, { user, groups, ttlSeconds: 3600 })).token;
    tokens = { root: await minted('root', ['system:masters']), jane: await minted('jane', []) };
  });

  async function served(rules: PolicyRule[]): Promise<ApiServer> {
    const sink = { write: (line: string): void => void events.push(JSON.parse(line) as AuditEvent) };
    const entry = {
      auditor: new Auditor(new Judge({ rules }), [sink]),
      execution: { waitUntil: (promise: Promise<unknown>) => void pending.push(promise) },
    };
    const snapshot = {
      version: 1,
      issuer: ISSUER,
      keys: [publicKey(key)],
      ...NO_FACTS,
      namespaces: [{ name: 'team', phase: 'Active', labels: {} }],
      roles: [{ namespace: '', name: 'edit', rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }],
      bindings: [
        {
          namespace: 'team',
          name: 'b',
          roleRef: { kind: 'ClusterRole', name: 'edit' },
          subjects: [{ kind: 'User', name: 'jane' }],
        },
      ],
    };
    const api = apiServer(snapshot, {}, entry);
    await api.request('POST', '/api/v1/namespaces', tokens.root, { metadata: { name: 'team' } });
    await Promise.all(pending);
    events = [];
    pending = [];
    return api;
  }
  const MAPS = '/api/v1/namespaces/team/configmaps';

  it('is not noted down where the policy says nothing of it', async () => {
    const answer = await (await served([])).request('GET', MAPS, tokens.jane);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('audit-id')).toMatch(/^[-0-9a-f]{36}$/);
    expect(events).toEqual([]);
  });

  it('of an administrator of everything is noted down all the same', async () => {
    const api = await served([{ level: 'None' }]);
    await api.request('GET', MAPS, tokens.root);
    await api.request('POST', '/zeroplane/v1/credentials', 'wrong', {});
    expect(events).toMatchObject([
      { level: 'Metadata', stage: 'ResponseComplete', user: { username: 'root' } },
      { stage: 'ResponseComplete', requestURI: '/zeroplane/v1/credentials', responseStatus: { code: 401 } },
    ]);
  });

  it('has the reason why it was allowed or not', async () => {
    const api = await served([{ level: 'Metadata', omitStages: ['RequestReceived'] }]);
    await api.request('POST', MAPS, tokens.jane, { metadata: { name: 'm' } });
    await api.request('GET', '/api/v1/nodes', tokens.jane);
    const reason = 'RBAC: allowed by RoleBinding "b/team" of ClusterRole "edit" to User "jane"';
    expect(events).toMatchObject([
      {
        objectRef: { resource: 'configmaps', namespace: 'team', name: 'm', apiVersion: 'v1' },
        responseStatus: { code: 201 },
        annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': reason },
      },
      { annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': '' } },
    ]);
    expect(events[0]).not.toHaveProperty('requestObject');
  });

  it.each<['Request' | 'RequestResponse', boolean]>([
    ['Request', false],
    ['RequestResponse', true],
  ])('of the level %s has its body, and that of its answer: %s', async (level, hasAnswer) => {
    const body = { metadata: { name: 'm' }, data: { a: 'b' } };
    const answer = await (await served([{ level }])).request('POST', MAPS, tokens.jane, body);
    await Promise.all(pending);
    expect(events.map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseComplete']);
    expect(events[1]?.requestObject).toEqual(body);
    expect(events[1]?.responseObject).toEqual(hasAnswer ? await answer.json() : undefined);
  });
});
