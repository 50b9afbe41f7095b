/** References to other objects, as ingresses and addresses hold them. */

import { pathSegmentName } from '../../apimachinery/validation/object-names.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { fields, format, optional, present, required } from '../validation/rules.ts';

const pathSegment = format((name) => pathSegmentName(name, false));

interface TypedReference {
  apiGroup?: string;
  kind?: string;
  name?: string;
}

/** A kind and name, in some group (`validateIngressTypedLocalObjectReference`). */
export const typedReference = fields<TypedReference>({
  apiGroup: present<string | undefined>(dns1123Subdomain),
  kind: required<string>(pathSegment),
  name: required<string>(pathSegment),
});

interface ParentReference {
  group?: string;
  resource?: string;
  namespace?: string;
  name?: string;
}

/** The object that an IPAddress belongs to (`validateIPAddressParentReference`). */
export const parentReference = fields<ParentReference>({
  group: optional<string>(dns1123Subdomain),
  resource: required<string>(pathSegment),
  name: required<string>(pathSegment),
  namespace: optional<string>(pathSegment),
});
