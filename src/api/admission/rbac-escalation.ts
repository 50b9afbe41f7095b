/** Nobody grants what they do not hold, unless they may `escalate` or `bind` (upstream's policy based storage of roles and bindings). */
import { deepEqual } from '../../apimachinery/equal.ts';
import { badRequest, forbidden, notFound } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import type { PolicyRule } from '../../durable-objects/cluster-rpc.ts';
import type { ClusterRole, RoleBinding, RoleRef } from '../../generated/types/rbac.v1.ts';
import type { Resource } from '../../resources/resource.ts';
import { MASTERS } from '../authentication/user.ts';
import type { Rules } from '../authorization/authorizer.ts';
import { uncovered } from '../authorization/covers.ts';
import { compact, describeRules, quoted } from '../authorization/describe-rules.ts';
import type { Requester } from '../context.ts';
import { decodeText, keyOf } from '../registry/encode.ts';
import type { Snapshot } from '../snapshot.ts';
import type { AdmissionPlugin, Attributes } from './plugin.ts';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);
/** An aggregated role may come to hold anything. */
const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

export const rbacEscalation: AdmissionPlugin = {
  name: 'RBACEscalation',
  handles: ({ context, resource }) =>
    resource.group === GROUP && context.snapshot !== undefined && !context.user.groups.includes(MASTERS),
  admit(attributes) {
    const { context, resource, object, old } = attributes;
    const { snapshot } = context;
    if (snapshot === undefined || (old !== undefined && changesOnlyOwners(object, old))) return;
    if (ROLES.has(resource.resource)) return checkRole(attributes, snapshot);
    if (BINDINGS.has(resource.resource)) return checkBinding(attributes, snapshot);
  },
};

/** What the garbage collector changes of an object grants nothing. */
function changesOnlyOwners(object: KubeObject, old: KubeObject): boolean {
  const rest = ({ metadata, ...others }: KubeObject) => {
    const { ownerReferences: _, finalizers: __, managedFields: ___, resourceVersion: ____, ...meta } = metadata;
    return { ...others, metadata: meta };
  };
  return deepEqual(rest(object), rest(old));
}

function checkRole({ context, resource, object, old }: Attributes, snapshot: Snapshot): void {
  const role = object as ClusterRole;
  const { name } = context.info;
  if (may(context, snapshot, 'escalate', resource.resource, name)) return;
  confirm(context, snapshot, resource, object, role.rules ?? []);
  const aggregates = [role, old as ClusterRole | undefined].some(
    (one) => (one?.aggregationRule?.clusterRoleSelectors ?? []).length > 0,
  );
  if (aggregates && uncovered(held(context, snapshot).rules, EVERYTHING).length > 0) {
    const why = 'must have cluster-admin privileges to use the aggregationRule';
    throw forbidden(resource, object.metadata.name, why);
  }
}

async function checkBinding({ context, resource, object }: Attributes, snapshot: Snapshot): Promise<void> {
  const { kind = '', name = '', apiGroup = '' } = (object as RoleBinding).roleRef ?? {};
  const plural = kind === 'ClusterRole' ? 'clusterroles' : kind === 'Role' ? 'roles' : undefined;
  // What names no role grants nothing; validation says so.
  if (plural === undefined || apiGroup !== GROUP) return;
  if (may(context, snapshot, 'bind', plural, name)) return;
  confirm(context, snapshot, resource, object, await rulesOf(context, resource, plural, name));
}

/** Whether a verb of RBAC's own is granted. Neither the Node authorizer nor a relation has a say in these. */
function may(context: Requester, { authorizer }: Snapshot, verb: string, resource: string, name: string): boolean {
  const { namespace } = context.info;
  const attributes = { verb, isResource: true, group: GROUP, resource, subresource: '', namespace, name, path: '' };
  const decision = authorizer.authorize(context.user, attributes);
  return !(decision instanceof Promise) && decision.allowed;
}

/** The rules of the role as it is now: the snapshot may be a second old. Throws NotFound, and BadRequest for what names no role. */
async function rulesOf({ around, info }: Requester, resource: Resource, plural: string, name: RoleRef['name']) {
  if (plural === 'roles' && info.namespace === '') throw badRequest('Namespace parameter required.');
  if (!name) throw badRequest('Name parameter required.');
  const [problem] = pathSegmentName(name, false);
  if (problem !== undefined) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${problem}`);
  const key = keyOf(plural === 'roles' ? info.namespace : undefined, name);
  const text = await around.store(info.cluster, `${GROUP}/${plural}`).get(key);
  // Upstream looks the role up in the name of the request.
  if (text === null) throw notFound(resource, name);
  return decodeText<ClusterRole & KubeObject>(text).rules ?? [];
}

const held = ({ user, info }: Requester, { authorizer }: Snapshot): Rules => authorizer.rulesFor(user, info.namespace);

function confirm(
  context: Requester,
  snapshot: Snapshot,
  resource: Resource,
  object: KubeObject,
  rules: readonly PolicyRule[],
): void {
  const owned = held(context, snapshot);
  const missing = uncovered(owned.rules, rules);
  if (missing.length === 0) return;
  const { name, groups } = context.user;
  const who = `user ${JSON.stringify(name)} (groups=${quoted(groups)})`;
  const what = `is attempting to grant RBAC permissions not currently held:\n${describeRules(compact(missing))}`;
  const gone = owned.missing.map((role) => notFound(resource, role.name).message);
  const errors = gone.length === 0 ? '' : `; resolution errors: [${gone.join(' ')}]`;
  throw forbidden(resource, object.metadata.name, `${who} ${what}${errors}`);
}
