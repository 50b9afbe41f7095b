/** A request as webhooks and policies see it (`admission.Attributes`, `AdmissionRequest`). */
import type { JsonObject, KubeObject } from '../../../apimachinery/meta.ts';
import type { Resource } from '../../../resources/resource.ts';
import type { Requester, Rules } from '../../context.ts';
import { toScale } from '../../registry/scale.ts';
import type { Attributes } from '../plugin.ts';

/** The rules of the cluster, as far as whoever asks knows them. */
export const rulesOf = ({ snapshot, rules }: Requester): Rules | undefined => snapshot ?? rules;

export type ReviewedOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

export interface Review {
  context: Requester;
  resource: Resource;
  subresource: string;
  operation: ReviewedOperation;
  /** Absent in a deletion. */
  object?: KubeObject;
  old?: KubeObject;
  name: string;
  /** That of a Namespace is itself. */
  namespace: string;
  dryRun: boolean;
  /** Absent where something is connected to. */
  options?: JsonObject;
}

const OPTIONS = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions' };

/** The review of a create or an update. */
export function reviewOf(attributes: Attributes): Review {
  const { context, resource, subresource, operation, object, old, options } = attributes;
  const scales = subresource === 'scale';
  const name = object.metadata.name ?? context.info.name;
  return {
    context,
    resource,
    subresource,
    operation,
    object: scales ? toScale(resource, object) : object,
    ...(old === undefined ? {} : { old: scales ? toScale(resource, old) : old }),
    name: subresource === '' ? name : context.info.name || name,
    namespace: namespaceOf(resource, object.metadata.namespace ?? context.info.namespace, name),
    dryRun: options.dryRun,
    options: {
      kind: OPTIONS[operation],
      apiVersion: 'meta.k8s.io/v1',
      ...(options.dryRun ? { dryRun: ['All'] } : {}),
      ...(options.force === undefined ? {} : { force: options.force }),
      ...(options.fieldManager === '' ? {} : { fieldManager: options.fieldManager }),
      fieldValidation: options.fieldValidation,
    },
  };
}

/** The namespace that rules and selectors go by. */
export function namespaceOf(resource: Resource, namespace: string, name: string): string {
  if (isNamespaces(resource)) return name;
  return resource.namespaced ? namespace : '';
}

export const isNamespaces = ({ group, resource }: Pick<Resource, 'group' | 'resource'>): boolean =>
  group === '' && resource === 'namespaces';

/** The kind of the objects under review. */
export function kindOf({ resource, subresource, object, old }: Review): JsonObject {
  const said = object ?? old;
  const [version = '', group = ''] = (said?.apiVersion ?? '').split('/').reverse();
  if (subresource !== '' && said?.kind !== undefined) return { group, version, kind: said.kind };
  return { group: resource.group, version: resource.version, kind: resource.kind };
}

/** `request` without the objects; `matched` is the resource in whose version it is seen. */
export function admissionRequest(review: Review, matched: Resource): JsonObject {
  const { context, resource, subresource, operation, name, namespace, dryRun, options } = review;
  const { user } = context;
  const requestKind = kindOf(review);
  const kind =
    subresource === '' ? { group: matched.group, version: matched.version, kind: matched.kind } : requestKind;
  const gvr = ({ group, version, resource: plural }: Resource) => ({ group, version, resource: plural });
  return {
    kind,
    resource: gvr(matched),
    ...(subresource === '' ? {} : { subResource: subresource }),
    requestKind,
    requestResource: gvr(resource),
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...(name === '' ? {} : { name }),
    ...(namespace === '' ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      ...(user.uid === '' ? {} : { uid: user.uid }),
      ...(user.groups.length === 0 ? {} : { groups: [...user.groups] }),
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra as JsonObject }),
    },
    dryRun,
    ...(options === undefined ? {} : { options }),
  };
}
