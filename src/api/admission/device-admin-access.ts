/** Devices that are in use are looked after from namespaces alone that are meant for it (upstream's `AuthorizedForAdmin`). */
import { invalidObject } from '../../apimachinery/errors.ts';
import { forbiddenField } from '../../apimachinery/field.ts';
import type { Namespace } from '../../generated/types/core.v1.ts';
import type { ResourceClaim, ResourceClaimTemplate } from '../../generated/types/resource.v1.ts';
import { lookUp } from './lookup.ts';
import type { AdmissionPlugin, Attributes } from './plugin.ts';

const LABEL = 'resource.kubernetes.io/admin-access';

/** Upstream's registry asks this, after all admission. What is asked for never changes later. */
export const deviceAdminAccess: AdmissionPlugin = {
  name: 'DeviceAdminAccess',
  handles: ({ resource, operation, subresource }) =>
    operation === 'CREATE' &&
    subresource === '' &&
    resource.group === 'resource.k8s.io' &&
    (resource.resource === 'resourceclaims' || resource.resource === 'resourceclaimtemplates'),
  validate(attributes) {
    const { context, resource, object } = attributes;
    const spec =
      resource.resource === 'resourceclaims'
        ? (object as ResourceClaim).spec
        : (object as ResourceClaimTemplate).spec?.spec;
    const index = (spec?.devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess === true);
    if (index < 0) return;
    const found = lookUp<Namespace>(context, 'core/namespaces', object.metadata.namespace ?? '');
    if (found instanceof Promise) return found.then((namespace) => judge(attributes, index, namespace));
    judge(attributes, index, found);
  },
};

function judge({ resource, object }: Attributes, index: number, namespace: Namespace | undefined): void {
  if (namespace?.metadata.labels?.[LABEL] === 'true') return;
  const why = `admin access to devices requires the \`${LABEL}: true\` label on the containing namespace`;
  const error = forbiddenField(`spec.devices.requests[${index}].adminAccess`, why);
  throw invalidObject(resource, object.metadata.name, [error]);
}
