/**
 * What a kubelet may do, after upstream's Node authorizer: its own Node, its own pods, and what its pods name. Some of it is left to the
 * NodeRestriction admission plugin, which sees the objects.
 */
import type { PolicyRule } from '../../durable-objects/cluster-rpc.ts';
import { NODE_PREFIX, NODES, type User } from '../authentication/user.ts';
import { componentRoles } from '../bootstrap/rbac/components.ts';
import type { Attributes, Decision } from './attributes.ts';
import { allows } from './rbac.ts';

/** What an object may be to a node: named by one of its pods, or the node's own. */
export type Relation =
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'pods'
  | 'resourceclaims'
  | 'resourceslices'
  | 'secrets'
  | 'serviceaccounts'
  | 'volumeattachments';

/** Whether an object is related to the node. */
export type Related = (node: string, relation: Relation, namespace: string, name: string) => boolean | Promise<boolean>;

export const UNRELATED: Related = () => false;

type Opinion = Decision | Promise<Decision>;

const NODE_LEASES = 'kube-node-lease';
const ALLOWED: Decision = { allowed: true, reason: '' };
const NO_OPINION: Decision = { allowed: false, reason: '' };
const no = (reason: string): Decision => ({ allowed: false, reason });
const rules: readonly PolicyRule[] = componentRoles['system:node'] ?? [];

/** Whether the user is a node, whichever (`NodeIdentity`). */
export const isNode = (user: User): boolean => user.name.startsWith(NODE_PREFIX) && user.groups.includes(NODES);

/** The name of the user's node; undefined for whom is no node. Empty for a node without a name. */
export const nodeNameOf = (user: User): string | undefined =>
  isNode(user) ? user.name.slice(NODE_PREFIX.length) : undefined;

/** What the authorizer says; no opinion of who is no node. */
export function nodeOpinion(user: User, attributes: Attributes, related: Related): Opinion {
  const node = nodeNameOf(user);
  if (node === undefined) return NO_OPINION;
  if (node === '') return no(`unknown node for user ${JSON.stringify(user.name)}`);
  const judge = attributes.isResource ? JUDGES[`${attributes.group}/${attributes.resource}`] : undefined;
  if (judge !== undefined) return judge({ ...attributes, node, related });
  return rules.some((rule) => allows(rule, attributes)) ? ALLOWED : NO_OPINION;
}

interface Asked extends Attributes {
  node: string;
  related: Related;
}

type Judge = (asked: Asked) => Opinion;

const JUDGES: Readonly<Record<string, Judge>> = {
  '/secrets': (asked) => read(asked, 'secrets'),
  '/configmaps': (asked) => read(asked, 'configmaps'),
  '/persistentvolumeclaims': (asked) =>
    asked.subresource === 'status' ? claimStatus(asked) : get(asked, 'persistentvolumeclaims'),
  '/persistentvolumes': (asked) => get(asked, 'persistentvolumes'),
  'resource.k8s.io/resourceclaims': (asked) => get(asked, 'resourceclaims'),
  'storage.k8s.io/volumeattachments': (asked) => get(asked, 'volumeattachments'),
  '/serviceaccounts': serviceAccount,
  'coordination.k8s.io/leases': lease,
  'storage.k8s.io/csinodes': csiNode,
  'resource.k8s.io/resourceslices': resourceSlice,
  '/nodes': ownNode,
  '/pods': pod,
};

/** Yes, if the object is the node's. */
function ofNode({ node, namespace, name, related }: Asked, relation: Relation): Opinion {
  if (name === '') return no('No Object name found');
  const answer = (is: boolean): Decision =>
    is ? ALLOWED : no(`no relationship found between node '${node}' and this object`);
  const is = related(node, relation, namespace, name);
  return is instanceof Promise ? is.then(answer) : answer(is);
}

/** A whole object of a namespace, also by a watch of the one name. */
function read(asked: Asked, relation: Relation): Opinion {
  if (!['get', 'list', 'watch'].includes(asked.verb)) return no('can only read resources of this type');
  if (asked.subresource !== '') return no('cannot read subresource');
  if (asked.namespace === '') return no('can only read namespaced object of this type');
  return ofNode(asked, relation);
}

function get(asked: Asked, relation: Relation): Opinion {
  if (asked.verb !== 'get') return no('can only get individual resources of this type');
  if (asked.subresource !== '') return no('cannot get subresource');
  return ofNode(asked, relation);
}

/** A volume that has grown. */
function claimStatus(asked: Asked): Opinion {
  if (asked.verb !== 'update' && asked.verb !== 'patch') return no('can only get/update/patch this type');
  return ofNode(asked, 'persistentvolumeclaims');
}

function serviceAccount(asked: Asked): Opinion {
  if (asked.verb === 'get' && asked.subresource === '') return read(asked, 'serviceaccounts');
  if (asked.verb !== 'create' || asked.name === '') return no('can only create tokens for individual service accounts');
  if (asked.subresource !== 'token') return no('can only create token subresource of serviceaccount');
  return ofNode(asked, 'serviceaccounts');
}

const WRITTEN = ['get', 'create', 'update', 'patch', 'delete'];

function lease({ verb, namespace, name, node }: Asked): Decision {
  if (!WRITTEN.includes(verb)) return no('can only get, create, update, patch, or delete a node lease');
  if (namespace !== NODE_LEASES) return no(`can only access leases in the "${NODE_LEASES}" system namespace`);
  // The name of what is created is in its body.
  if (verb === 'create' || name === node) return ALLOWED;
  return no('can only access node lease with the same name as the requesting node');
}

function csiNode({ verb, subresource, name, node }: Asked): Decision {
  if (!WRITTEN.includes(verb)) return no('can only get, create, update, patch, or delete a CSINode');
  if (subresource !== '') return no('cannot authorize CSINode subresources');
  if (verb === 'create' || name === node) return ALLOWED;
  return no('can only access CSINode with the same name as the requesting node');
}

const selects = ({ fieldSelector = [], node }: Asked, field: string): boolean =>
  fieldSelector.some((term) => term.field === field && term.op === '=' && term.value === node);

function resourceSlice(asked: Asked): Opinion {
  const { verb } = asked;
  if (asked.subresource !== '') return no('cannot authorize ResourceSlice subresources');
  if (verb === 'create') return ALLOWED;
  if (WRITTEN.includes(verb)) return ofNode(asked, 'resourceslices');
  if (!['watch', 'list', 'deletecollection'].includes(verb)) {
    const verbs = 'get, watch, list, create, update, patch, delete, deletecollection';
    return no(`only the following verbs are allowed for a ResourceSlice: ${verbs}`);
  }
  if (selects(asked, 'spec.nodeName')) return ALLOWED;
  return no('can only list/watch/deletecollection resourceslices with nodeName field selector');
}

/** Its own Node, which it may ask for before there is one. */
function ownNode({ verb, subresource, name, node }: Asked): Decision {
  const writes = verb === 'update' || verb === 'patch';
  if (subresource === 'status' && writes) return ALLOWED;
  if (subresource !== '') return NO_OPINION;
  if (verb === 'create' || writes) return ALLOWED;
  if (!['get', 'list', 'watch'].includes(verb)) return NO_OPINION;
  if (name === node) return ALLOWED;
  return no(
    name === ''
      ? `node '${node}' cannot read all nodes, only its own Node object`
      : `node '${node}' cannot read '${name}', only its own Node object`,
  );
}

function pod(asked: Asked): Opinion {
  const { verb, subresource } = asked;
  if (subresource === 'status') return verb === 'update' || verb === 'patch' ? ALLOWED : NO_OPINION;
  if (subresource === 'eviction') return verb === 'create' ? ALLOWED : NO_OPINION;
  if (subresource !== '') return NO_OPINION;
  // Mirror pods, of which admission sees to the rest.
  if (verb === 'create' || verb === 'delete') return ALLOWED;
  if (verb === 'get') return get(asked, 'pods');
  if (verb !== 'list' && verb !== 'watch') return NO_OPINION;
  if (selects(asked, 'spec.nodeName')) return ALLOWED;
  if (asked.name !== '') return ofNode(asked, 'pods');
  return no('can only list/watch pods with spec.nodeName field selector');
}
