/** What policies and PodSecurity leave in the audit log, through the whole API server. */
import { env } from 'cloudflare:workers';
import { beforeAll, describe, expect, it } from 'vitest';
import { app } from '../../src/api/app.ts';
import { Auditor } from '../../src/api/audit/auditor.ts';
import { Judge } from '../../src/api/audit/match.ts';
import type { Env } from '../../src/durable-objects/env.ts';
import { surroundings } from '../../src/durable-objects/surroundings.ts';

const GROUP = '/apis/admissionregistration.k8s.io/v1';
const around = surroundings(env as unknown as Env);
let token = '';
let last: { stage: string; annotations: Record<string, string> };
const sink = {
  write(line: string): void {
    last = JSON.parse(line) as typeof last;
  },
};
const auditor = new Auditor(new Judge({ rules: [{ level: 'Metadata' }] }), [sink]);

async function send(method: string, path: string, body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const response = await app.fetch(new Request(`https://api${path}`, init), { around, auditor });
  await response.text();
  return response.status;
}

/** The annotations of a request, but for the authorizer's. */
async function annotationsOf(path: string, body: object): Promise<object> {
  await send('POST', path, body);
  const { 'authorization.k8s.io/decision': _, 'authorization.k8s.io/reason': __, ...others } = last.annotations;
  return others;
}

beforeAll(async () => {
  const request = { user: 'admin', groups: ['system:masters'], ttlSeconds: 600 };
  ({ token } = await around.cluster('default').mint(request));
  const labels = {
    'pod-security.kubernetes.io/enforce': 'baseline',
    'pod-security.kubernetes.io/audit': 'restricted',
  };
  expect(await send('POST', '/api/v1/namespaces', { metadata: { name: 'noted', labels } })).toBe(201);
  const account = { metadata: { name: 'default' } };
  expect(await send('POST', '/api/v1/namespaces/noted/serviceaccounts', account)).toBe(201);
});

describe('the annotations of audit events', () => {
  it('have what PodSecurity enforces, and what would not be let in', async () => {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    const annotations = await annotationsOf('/api/v1/namespaces/noted/pods', { metadata: { name: 'p' }, spec });
    expect(annotations).toEqual({
      'pod-security.kubernetes.io/enforce-policy': 'baseline:latest',
      'pod-security.kubernetes.io/audit-violations': expect.stringMatching(
        /^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false \(/,
      ),
    });
    const template = { metadata: { labels: { a: 'b' } }, spec };
    const deployment = { metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } };
    expect(Object.keys(await annotationsOf('/apis/apps/v1/namespaces/noted/deployments', deployment))).toEqual([
      'pod-security.kubernetes.io/audit-violations',
    ]);
  });

  it('have what policies say, and the validations that do not hold', async () => {
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['configmaps'] };
    const spec = {
      matchConstraints: { resourceRules: [rule] },
      validations: [{ expression: 'true' }, { expression: 'object.data.k != "v"', message: 'no v' }],
      auditAnnotations: [
        { key: 'name', valueExpression: 'string(object.metadata.name)' },
        { key: 'nothing', valueExpression: 'null' },
      ],
    };
    const policy = { metadata: { name: 'p' }, spec };
    expect(await send('POST', `${GROUP}/validatingadmissionpolicies`, policy)).toBe(201);
    const bound = { policyName: 'p', validationActions: ['Audit', 'Warn'] };
    const binding = { metadata: { name: 'b' }, spec: bound };
    expect(await send('POST', `${GROUP}/validatingadmissionpolicybindings`, binding)).toBe(201);
    const path = '/api/v1/namespaces/noted/configmaps';
    const failure = {
      message: 'no v',
      policy: 'p',
      binding: 'b',
      expressionIndex: 1,
      validationActions: ['Audit', 'Warn'],
    };
    expect(await annotationsOf(path, { metadata: { name: 'bad' }, data: { k: 'v' } })).toEqual({
      'p/name': 'bad',
      'validation.policy.admission.k8s.io/validation_failure': JSON.stringify([failure]),
    });
    expect(await annotationsOf(path, { metadata: { name: 'good' }, data: { k: 'w' } })).toEqual({ 'p/name': 'good' });
  });
});
