/** The audit log over the wire: a policy from a file, events in a file. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client, type Send } from '../support/https.ts';

const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitManagedFields: true
rules:
- {level: None, nonResourceURLs: ["/readyz*"]}
- {level: RequestResponse, omitStages: [RequestReceived], resources: [{group: "", resources: [secrets, "serviceaccounts/*", configmaps]}, {group: authentication.k8s.io}]}
- {level: Request, verbs: [create], resources: [{group: "", resources: ["*"]}]}
- {level: Metadata, omitStages: [RequestReceived]}
`;
const HIDDEN = 'c2VjcmV0LXZhbHVl';

interface AuditEvent {
  level: string;
  stage: string;
  auditID: string;
  requestURI: string;
  verb: string;
  user: { username?: string; groups?: string[] };
  impersonatedUser?: { username: string };
  responseStatus?: { code: number };
  requestObject?: unknown;
  responseObject?: unknown;
  annotations?: Record<string, string>;
}

let folder: string;
let plane: ControlPlane;
let send: Send;
/** The events whose lines are whole: somebody is writing. */
const read = async (): Promise<AuditEvent[]> =>
  (await readFile(join(folder, 'logs/audit.log'), 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as AuditEvent);
/** Waits until there are as many events of a request. */
async function eventsOf(id: unknown, count: number): Promise<AuditEvent[]> {
  const own = async (): Promise<AuditEvent[]> => (await read()).filter(({ auditID }) => auditID === id);
  await expect.poll(async () => (await own()).length).toBe(count);
  return own();
}
const asked = async (request: Parameters<Send>[0], count = 1): Promise<[number, AuditEvent[]]> => {
  const { status, headers } = await send(request);
  return [status, await eventsOf(headers['audit-id'], count)];
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'zeroplane-audit-'));
  await writeFile(join(folder, 'policy.yaml'), POLICY);
  const args = ['--audit-policy-file', join(folder, 'policy.yaml'), '--audit-log-path', join(folder, 'logs/audit.log')];
  plane = await startControlPlane({ nodes: 'none', controllers: 'off', args });
  send = client(plane);
  await send({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: 'seen' } } });
});
afterAll(async () => {
  await plane?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('the audit log', () => {
  it('has what was asked for, what was answered, and why it was allowed', async () => {
    const body = { metadata: { name: 'm' }, data: { a: 'b' } };
    const headers = { 'audit-id': 'my-own-id', 'user-agent': 'a test' };
    const path = '/api/v1/namespaces/seen/configmaps?fieldManager=me';
    const [code, [event]] = await asked({ method: 'POST', path, body, headers });
    expect(code).toBe(201);
    expect(event).toMatchObject({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      auditID: 'my-own-id',
      stage: 'ResponseComplete',
      requestURI: path,
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'a test',
      objectRef: { resource: 'configmaps', namespace: 'seen', name: 'm', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: body,
      responseObject: { kind: 'ConfigMap', metadata: { name: 'm', namespace: 'seen' }, data: { a: 'b' } },
      requestReceivedTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
      stageTimestamp: expect.stringMatching(/\.\d{6}Z$/),
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    expect(JSON.stringify(event)).not.toContain('managedFields');
    expect((await stat(join(folder, 'logs/audit.log'))).mode & 0o777).toBe(0o600);
  });

  it('never has a secret, whatever the policy says', async () => {
    const secrets = '/api/v1/namespaces/seen/secrets';
    const secret = { kind: 'Secret', apiVersion: 'v1', metadata: { name: 's' }, data: { k: HIDDEN } };
    const merge = { 'content-type': 'application/merge-patch+json' };
    const account = '/api/v1/namespaces/seen/serviceaccounts';
    await send({ method: 'POST', path: account, body: { metadata: { name: 'sa' } } });
    const requests: Parameters<Send>[0][] = [
      { method: 'POST', path: secrets, body: secret },
      { method: 'PATCH', path: `${secrets}/s`, body: { data: { k: HIDDEN } }, headers: merge },
      { path: secrets },
      { path: `${secrets}/s` },
      { path: '/api/v1/secrets', headers: { accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' } },
      { method: 'POST', path: '/api/v1/namespaces/seen/configmaps', body: secret },
      { method: 'POST', path: `${account}/sa/token`, body: { spec: {} } },
      { method: 'POST', path: '/apis/authentication.k8s.io/v1/tokenreviews', body: { spec: { token: HIDDEN } } },
    ];
    for (const request of requests) {
      const [, [event]] = await asked(request);
      expect([request.path, event?.requestObject]).toEqual([request.path, undefined]);
    }
    const text = await readFile(join(folder, 'logs/audit.log'), 'utf8');
    expect(text).not.toContain(HIDDEN);
    expect(text).not.toContain(plane.token);
    expect(text).not.toMatch(/eyJ[\w-]{20,}/);
  });

  it('has the stages that the policy leaves', async () => {
    const body = { metadata: { name: 'p' }, spec: { type: 'ClusterIP' } };
    const [code, events] = await asked({ method: 'POST', path: '/api/v1/namespaces/seen/services', body }, 2);
    expect(code).toBe(422);
    expect(events.map(({ stage }) => stage)).toEqual(['RequestReceived', 'ResponseComplete']);
    expect(events[0]).not.toHaveProperty('responseStatus');
    expect(events[1]).toMatchObject({ requestObject: body, responseStatus: { code: 422, reason: 'Invalid' } });
    expect(events[1]).not.toHaveProperty('responseObject');
    const [, watch] = await asked({ path: '/api/v1/namespaces/seen/pods?watch=1&timeoutSeconds=1' }, 2);
    expect(watch.map(({ stage }) => stage)).toEqual(['ResponseStarted', 'ResponseComplete']);
  });

  it('has who was refused, who acted as another, and nobody', async () => {
    const as = { 'impersonate-user': 'jane' };
    const [forbidden, [event]] = await asked({ path: '/api/v1/namespaces/seen/pods', headers: as });
    expect(forbidden).toBe(403);
    expect(event).toMatchObject({
      user: { username: 'admin' },
      impersonatedUser: { username: 'jane', groups: ['system:authenticated'] },
      responseStatus: { status: 'Failure', reason: 'Forbidden', code: 403 },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
    const [unauthorized, [stranger]] = await asked({ path: '/api/v1/pods', token: 'wrong' });
    expect(unauthorized).toBe(401);
    expect(stranger).toMatchObject({ stage: 'ResponseStarted', user: {}, responseStatus: { code: 401 } });
  });

  it('has who mints credentials, and for whom', async () => {
    const minted = async (): Promise<AuditEvent | undefined> =>
      (await read()).find(({ requestURI }) => requestURI === '/zeroplane/v1/credentials');
    await expect.poll(minted).toMatchObject({
      verb: 'post',
      responseStatus: { code: 201 },
      annotations: { 'zeroplane/credential-for': '{"user":"admin","groups":["system:masters"]}' },
    });
    expect((await read()).filter(({ requestURI }) => requestURI.startsWith('/readyz'))).toEqual([]);
  });
});

describe('a policy that makes no sense', () => {
  it('is told of in a sentence, before anything is started', async () => {
    const file = join(folder, 'wrong.yaml');
    await writeFile(file, POLICY.replace('level: Metadata,', 'level: Everything,'));
    const args = ['--audit-policy-file', file, '--audit-log-path', '-'];
    await expect(startControlPlane({ nodes: 'none', args })).rejects.toThrow(
      'the audit policy is invalid: rules[3].level: Unsupported value: "Everything": supported values: "None", "Metadata", "Request", "RequestResponse".',
    );
  });
});
