/** Service networks and the addresses taken from them. */
import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { ipFamily, parseNetwork } from '../../apimachinery/networks.ts';
import type { IPAddress, ServiceCIDR } from '../../generated/types/networking.v1.ts';
import type { Strategy } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { pointerTo, struct, text } from '../validation/go-struct.ts';
import { strictCidr } from '../validation/networks.ts';
import { each, immutable } from '../validation/rules.ts';
import { parentReference } from './references.ts';

const shownParent = pointerTo(struct({ Group: text, Resource: text, Namespace: text, Name: text }));

function addressErrors({ spec }: IPAddress): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.parentRef';
  if (spec?.parentRef === undefined) errors.push(required(at));
  else parentReference(spec.parentRef, at, errors);
  return errors;
}

/** How IPAddresses are made: the name is the address, and the owner stays. */
export const ipAddress: Strategy<IPAddress> = {
  generation: false,
  nameErrors: (name) => (ipFamily(name) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : []),
  validate: addressErrors,
  validateUpdate(address, old) {
    const errors = addressErrors(address);
    if (!deepEqual(address.spec?.parentRef, old.spec?.parentRef)) {
      errors.push(invalid('spec.parentRef', shownParent(address.spec?.parentRef), 'field is immutable'));
    }
    return errors;
  },
};

function networkErrors({ spec = {} }: ServiceCIDR): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.cidrs';
  const cidrs: readonly string[] = spec.cidrs ?? [];
  if (cidrs.length === 0) errors.push(required(at, 'at least one CIDR required'));
  else if (cidrs.length > 2) errors.push(invalid(at, cidrs, 'may only hold up to 2 values'));
  else {
    const before = errors.length;
    each(strictCidr)(cidrs, at, errors);
    const families = new Set(cidrs.map((cidr) => parseNetwork(cidr)?.family));
    if (errors.length === before && families.size < cidrs.length) {
      const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
      errors.push(invalid(at, cidrs, detail));
    }
  }
  return errors;
}

/** A network stays; only a second one of the other family may join it. */
function networkUpdateErrors(network: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const errors: FieldError[] = [];
  const at = 'spec.cidrs';
  const cidrs: readonly string[] = network.spec?.cidrs ?? [];
  const before: readonly string[] = old.spec?.cidrs ?? [];
  if (before.length === 1 && cidrs.length > 0 && cidrs.length <= 2) {
    immutable(cidrs[0], before[0], `${at}[0]`, errors);
    if (cidrs.length === 2) errors.push(...networkErrors(network));
  } else {
    immutable(network.spec?.cidrs ?? null, old.spec?.cidrs ?? null, at, errors);
  }
  return errors;
}

/** How ServiceCIDRs are made. */
export const serviceCidr: Strategy<ServiceCIDR> = {
  ...statusIsSeparate<ServiceCIDR>({}),
  metadataChecks: [0, 1],
  generation: false,
  validate: networkErrors,
  validateUpdate: networkUpdateErrors,
};
