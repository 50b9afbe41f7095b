/** Every route with every identity: nothing answers to whom it should not, and a route without a rule fails here. */
import { SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { createSigningKey, publicKey, type SigningKey, sign } from '../../src/api/authentication/signing.ts';
import { defaultPolicy, ownPolicy } from '../../src/api/bootstrap/rbac/index.ts';
import { aggregatedRoles } from '../../src/api/bootstrap/rbac/people.ts';
import type { MintRequest, RoleFact } from '../../src/durable-objects/cluster-rpc.ts';
import type { ClusterRole, ClusterRoleBinding } from '../../src/generated/types/rbac.v1.ts';
import { resources } from '../../src/resources/index.ts';
import { ALL_VERBS, type Resource } from '../../src/resources/resource.ts';
import { PATHS, RULES, type Rule } from '../support/access-rules.ts';
import { type ApiServer, apiServer } from '../support/api-server.ts';
import { NO_FACTS } from '../support/no-facts.ts';

const ISSUER = 'https://kubernetes.default.svc.cluster.local/own';
const own = await createSigningKey();
const other = await createSigningKey();

const of = <T>(id: string): T[] =>
  [...defaultPolicy, ...ownPolicy].flatMap(([store, objects]) =>
    store === `rbac.authorization.k8s.io/${id}` ? (objects as T[]) : [],
  );
const clusterRoles = of<ClusterRole>('clusterroles');

/** As the controller of aggregated roles writes them. */
function rulesOf({ metadata, rules = [] }: ClusterRole): NonNullable<ClusterRole['rules']> {
  const label = aggregatedRoles[metadata.name];
  if (label === undefined) return rules;
  return clusterRoles.filter((role) => role.metadata.labels?.[label] === 'true').flatMap(rulesOf);
}

const roles: RoleFact[] = clusterRoles.map((role) => ({
  namespace: '',
  name: role.metadata.name,
  rules: rulesOf(role),
}));
const people = ['admin', 'edit', 'view'];
const bindings = [
  ...of<ClusterRoleBinding>('clusterrolebindings').map(({ metadata, roleRef, subjects }) => ({
    namespace: '',
    name: metadata.name,
    roleRef: { kind: roleRef?.kind ?? '', name: roleRef?.name ?? '' },
    subjects: (subjects ?? []).map((subject) => ({ kind: '', name: '', ...subject })),
  })),
  ...people.map((name) => ({
    namespace: 'team',
    name,
    roleRef: { kind: 'ClusterRole', name },
    subjects: [{ kind: 'User', name }],
  })),
];

const minted = async (request: Partial<MintRequest>, key: SigningKey = own, issuer = ISSUER): Promise<string> =>
  (await sign(key, issuer, { user: 'root', groups: ['system:masters'], ttlSeconds: 3600, ...request })).token;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const claims = {
  iss: ISSUER,
  sub: 'root',
  aud: 'https://kubernetes.default.svc',
  exp: 4_000_000_000,
  groups: ['system:masters'],
};

/** Those that are let in, as somebody. */
const identities: Record<string, string | undefined> = {
  masters: await minted({}),
  anonymous: undefined,
  nobody: await minted({ user: 'nobody', groups: [] }),
  admin: await minted({ user: 'admin', groups: [] }),
  edit: await minted({ user: 'edit', groups: [] }),
  view: await minted({ user: 'view', groups: [] }),
  a: await minted({ user: 'system:node:a', groups: ['system:nodes'] }),
  b: await minted({ user: 'system:node:b', groups: ['system:nodes'] }),
};
/** Those that are nobody's: each would be an administrator if it were believed. */
const forged: Record<string, string> = {
  'another cluster’s': await minted({}, other, 'https://kubernetes.default.svc.cluster.local/other'),
  'another key’s': await minted({}, { ...other, kid: own.kid }),
  'an expired one': await minted({ ttlSeconds: -60 }),
  'an unsigned one': `${part({ alg: 'none', typ: 'JWT' })}.${part(claims)}.`,
  'one signed with the public key': await new SignJWT(claims)
    .setProtectedHeader({ alg: 'HS256', kid: own.kid })
    .sign(new TextEncoder().encode(JSON.stringify(publicKey(own)))),
  'one for another audience': await minted({ audiences: ['https://elsewhere'] }),
  nonsense: 'nonsense',
};

const VERBS: [letter: string, verb: string, method: string, named: boolean, query: string][] = [
  ['g', 'get', 'GET', true, ''],
  ['l', 'list', 'GET', false, ''],
  ['w', 'watch', 'GET', false, 'watch=true'],
  ['c', 'create', 'POST', false, 'dryRun=All'],
  ['u', 'update', 'PUT', true, 'dryRun=All'],
  ['p', 'patch', 'PATCH', true, 'dryRun=All'],
  ['d', 'delete', 'DELETE', true, 'dryRun=All'],
  ['x', 'deletecollection', 'DELETE', false, 'dryRun=All'],
];
const NAMES: Record<string, string> = { nodes: 'a', csinodes: 'a', leases: 'a', namespaces: 'team' };

interface Route {
  key: string;
  letter: string;
  method: string;
  path: string;
  body: unknown;
}

function routesOf(resource: Resource): Route[] {
  const { group, version, resource: plural, namespaced } = resource;
  const id = `${group === '' ? 'core' : group}/${plural}`;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const collection = `${root}/${namespaced ? 'namespaces/team/' : ''}${plural}`;
  const name = NAMES[plural] ?? 'x';
  const route = (key: string, verb: string, path: (named: boolean) => string): Route => {
    const [letter, , method, named, query] = VERBS.find(([, one]) => one === verb) as (typeof VERBS)[number];
    const body = ['POST', 'PUT'].includes(method) ? { metadata: { name } } : method === 'PATCH' ? {} : undefined;
    return { key, letter, method, path: `${path(named)}?${query}`, body };
  };
  return [
    ...(resource.verbs ?? ALL_VERBS).map((verb) =>
      route(id, verb, (named) => (named ? `${collection}/${name}` : collection)),
    ),
    ...(resource.subresources ?? []).flatMap((sub) =>
      sub.verbs.map((verb) => route(`${id}/${sub.name}`, verb, () => `${collection}/${name}/${sub.name}`)),
    ),
  ];
}

const routes = resources.flatMap(routesOf);
/** As it is: a PUT that leaves the taints out takes them away. */
let nodeA: unknown;
function bodyOf({ key, method, body }: Route): unknown {
  if (key === 'core/pods/eviction') return { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'x' } };
  return method === 'PUT' && key.startsWith('core/nodes') ? nodeA : body;
}

function allowed(who: string, rule: Rule, letter: string): boolean {
  if (who === 'masters') return true;
  if (who !== 'anonymous' && rule.all?.includes(letter)) return true;
  const own = who === 'admin' ? `${rule.edit ?? ''}${rule.admin ?? ''}` : rule[who as keyof Rule];
  return own?.includes(letter) === true;
}

let api: ApiServer;
const answer = async (method: string, path: string, token: string | undefined, body?: unknown): Promise<number> => {
  const response = await api.request(method, path, token, body);
  await response.body?.cancel();
  return response.status;
};

beforeAll(async () => {
  const keys = [publicKey(own)];
  api = apiServer({ version: 1, issuer: ISSUER, keys, ...NO_FACTS, roles, bindings });
  const make = async (path: string, object: object): Promise<void> => {
    const response = await api.request('POST', path, identities['masters'], object);
    expect([response.status, await response.text()]).toEqual([201, expect.anything()]);
  };
  const inTeam = '/api/v1/namespaces/team';
  await make('/api/v1/namespaces', { metadata: { name: 'team' } });
  await make('/api/v1/nodes', { metadata: { name: 'a' } });
  await make('/api/v1/nodes', { metadata: { name: 'b' } });
  await make(`${inTeam}/serviceaccounts`, { metadata: { name: 'default' } });
  await make(`${inTeam}/pods`, {
    metadata: { name: 'x' },
    spec: { nodeName: 'b', containers: [{ name: 'c', image: 'i' }] },
  });
  nodeA = await (await api.request('GET', '/api/v1/nodes/a', identities['masters'])).json();
  const account = await api.request('GET', `${inTeam}/serviceaccounts/default`, identities['masters']);
  const { metadata } = (await account.json()) as { metadata: { uid: string } };
  const serviceAccount = { namespace: 'team', name: 'default', uid: metadata.uid };
  identities['account'] = await minted({ user: 'system:serviceaccount:team:default', groups: [], serviceAccount });
});

describe('every route', () => {
  it('has a rule, and every rule a route', () => {
    expect([...new Set(routes.map(({ key }) => key))].sort()).toEqual(Object.keys(RULES).sort());
  });

  it.each([...Object.keys(identities), 'account'])(
    'lets in %s where the rules say so',
    { timeout: 60_000 },
    async (who) => {
      const wrong: string[] = [];
      for (const route of routes) {
        const { key, letter, method, path } = route;
        const status = await answer(method, path, identities[who], bodyOf(route));
        const may = allowed(who, RULES[key] ?? {}, letter);
        if (status === 401 || status === 500 || (status === 403) === may) wrong.push(`${method} ${path}: ${status}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it.each(Object.keys(forged))('knows no token that is %s', async (what) => {
    const wrong: string[] = [];
    for (const { method, path, body } of routes) {
      const status = await answer(method, path, forged[what], body);
      if (status !== 401) wrong.push(`${method} ${path}: ${status}`);
    }
    for (const path of Object.keys(PATHS)) {
      if ((await answer('GET', path, forged[what])) !== 401) wrong.push(path);
    }
    expect(wrong).toEqual([]);
  });
});

describe('what is no resource', () => {
  it.each(Object.entries(PATHS))('%s is for %s', async (path, whom) => {
    for (const [who, token] of Object.entries(identities)) {
      const may = who === 'masters' || whom === 'anybody' || (whom === 'authenticated' && who !== 'anonymous');
      const status = await answer('GET', path, token);
      expect([who, status === 403]).toEqual([who, !may]);
    }
  });

  it('the documents of every group are for whoever is known', async () => {
    const groups = resources.map(({ group, version }) =>
      group === '' ? `api/${version}` : `apis/${group}/${version}`,
    );
    const paths = [...new Set(groups)].flatMap((group) => [`/${group}`, `/openapi/v3/${group}`]);
    const wrong: string[] = [];
    for (const path of paths) {
      if ((await answer('GET', path, undefined)) !== 403) wrong.push(`anonymous ${path}`);
      if ((await answer('GET', path, identities['nobody'])) === 403) wrong.push(`nobody ${path}`);
    }
    expect(wrong).toEqual([]);
    expect(paths.length).toBeGreaterThan(30);
  });

  const OURS: [method: string, path: string, body: unknown, others: number, who: string | undefined][] = [
    ['POST', 'credentials', { user: 'root', groups: ['system:masters'] }, 401, undefined],
    ['GET', 'keys', undefined, 401, undefined],
    ['POST', 'keys', undefined, 401, undefined],
    ['DELETE', 'keys/x', undefined, 401, undefined],
    ['POST', 'join', { nodeName: 'a' }, 401, 'a'],
    ['GET', 'nodes/a/session', undefined, 403, 'a'],
    ['GET', 'nodes/a/streams/1', undefined, 403, 'a'],
    ['DELETE', 'nodes/a', undefined, 403, 'masters'],
    ['GET', 'stores/core/pods/stats', undefined, 404, 'masters'],
  ];
  it.each(OURS)('%s /zeroplane/v1/%s', async (method, path, body, others, only) => {
    for (const [who, token] of Object.entries({ ...identities, ...forged })) {
      const status = await answer(method, `/zeroplane/v1/${path}`, token, body);
      const refused = who in forged ? 401 : others;
      expect([who, who === only ? status < 400 || status === 503 : status]).toEqual([who, who === only || refused]);
    }
  });
});
