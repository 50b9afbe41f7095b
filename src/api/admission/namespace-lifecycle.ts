/** NamespaceLifecycle: nothing is created in a namespace that does not exist or is being deleted. */
import { forbidden, notFound } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import { lookUp, lookUpAnew } from './lookup.ts';
import { type AdmissionPlugin, nameOf } from './plugin.ts';

/** Without these there is no cluster. */
const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
const NAMESPACES = { group: '', resource: 'namespaces' };
const NAMESPACES_STORE = 'core/namespaces';
/** These may be made while a namespace goes away: they help it along. */
const ALWAYS = new Set(['localsubjectaccessreviews']);

interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export const namespaceLifecycle: AdmissionPlugin = {
  name: 'NamespaceLifecycle',
  handles: ({ resource, operation }) => operation === 'CREATE' && resource.namespaced && !ALWAYS.has(resource.resource),
  admit({ context, resource, object }) {
    const { namespace } = object.metadata;
    if (namespace === undefined) return;
    const found = lookUp<Namespace>(context, NAMESPACES_STORE, namespace);
    if (found instanceof Promise) return found.then((loaded) => check(loaded, resource, object, namespace));
    if (!isTerminating(found)) return check(found, resource, object, namespace);
    // It may be gone by now, and another one be there: who is refused here, as controllers are, does not come again.
    return lookUpAnew<Namespace>(context, NAMESPACES_STORE, namespace).then((newest) =>
      check(newest, resource, object, namespace),
    );
  },
};

const isTerminating = (found: Namespace | undefined): boolean =>
  found?.status?.phase === 'Terminating' || found?.metadata.deletionTimestamp !== undefined;

function check(found: Namespace | undefined, resource: Resource, object: KubeObject, namespace: string): void {
  if (found === undefined) throw notFound(NAMESPACES, namespace);
  if (!isTerminating(found)) return;
  const error = forbidden(
    resource,
    nameOf(object),
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
  const cause = {
    reason: 'NamespaceTerminating',
    message: `namespace ${namespace} is being terminated`,
    field: 'metadata.namespace',
  };
  error.status.details = { ...error.status.details, causes: [cause] };
  throw error;
}

/** Throws Forbidden for the delete of a namespace that every cluster has. */
export function checkDelete(resource: Resource, name: string): void {
  if (resource.group !== '' || resource.resource !== 'namespaces' || !IMMORTAL.has(name)) return;
  throw forbidden(NAMESPACES, name, 'this namespace may not be deleted');
}
