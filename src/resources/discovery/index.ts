import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid, required as requiredError, tooMany } from '../../apimachinery/field.ts';
import { ipFamily } from '../../apimachinery/networks.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { dns1123Label, dns1123Subdomain, ip, labelValue, nonSpecialIP, qualifiedName } from '../validation/formats.ts';
import { each, fields, immutable, oneOf, optional, present, type Rule, required, unique } from '../validation/rules.ts';

const discovery = groupVersion('discovery.k8s.io', 'v1');

const addressRules: Record<string, Rule<string>> = {
  FQDN: dns1123Subdomain,
  IPv4: addressOf(4),
  IPv6: addressOf(6),
};

function addressOf(family: 4 | 6): Rule<string> {
  return (value, path, errors) => {
    const before = errors.length;
    ip(value, path, errors);
    if (errors.length > before) return;
    // Upstream's path of a wrong family is the list's.
    if (ipFamily(value) !== family) {
      errors.push(invalid(path.replace(/\[\d+\]$/, ''), value, `must be an IPv${family} address`));
    }
    nonSpecialIP(value, path, errors);
  };
}

const zoneHints = (list: { name?: string }[] | undefined, path: string, errors: FieldError[]): void => {
  each(fields<{ name?: string }>({ name: labelValue }))(list, path, errors);
  unique<{ name?: string }>((hint) => hint.name, 'name')(list, path, errors);
};

const MOST_NODE_HINTS = 8;

const nodeHints = (list: { name?: string }[] = [], path: string, errors: FieldError[]): void => {
  if (list.length > MOST_NODE_HINTS) {
    errors.push(tooMany(path, list.length, MOST_NODE_HINTS));
    return;
  }
  each(fields<{ name?: string }>({ name: dns1123Subdomain }))(list, path, errors);
  unique<{ name?: string }>((hint) => hint.name, 'name')(list, path, errors);
};

const endpointFields = fields<Endpoint>({
  hostname: present(dns1123Label),
  nodeName: present(dns1123Subdomain),
});

function endpoint(value: Endpoint, addressType: string, path: string, errors: FieldError[]): void {
  const addresses: readonly string[] = value.addresses ?? [];
  if (addresses.length === 0) errors.push(requiredError(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > 100) {
    const body = `Too many: ${addresses.length}: must have at most 100 items`;
    errors.push({ type: 'FieldValueTooMany', field: `${path}.addresses`, body });
    return;
  }
  const rule = Object.hasOwn(addressRules, addressType) ? addressRules[addressType] : undefined;
  if (rule !== undefined) each(rule)(addresses, `${path}.addresses`, errors);
  endpointFields(value, path, errors);
  zoneHints(value.hints?.forZones, `${path}.hints.forZones`, errors);
  nodeHints(value.hints?.forNodes, `${path}.hints.forNodes`, errors);
}

const ports = each(
  fields<EndpointPort>({
    name: optional<string>(dns1123Label),
    protocol: present<string | undefined>(oneOf('SCTP', 'TCP', 'UDP')),
    appProtocol: present(qualifiedName),
  }),
);

/** Of several ports each needs a name of its own; one may be empty. */
const uniquePortNames = (list: readonly EndpointPort[] | undefined, path: string, errors: FieldError[]): void => {
  const seen = new Set<string>();
  list?.forEach(({ name = '' }, index) => {
    if (seen.has(name)) {
      const body = `Duplicate value: ${JSON.stringify(name)}`;
      errors.push({ type: 'FieldValueDuplicate', field: `${path}[${index}].name`, body });
    }
    seen.add(name);
  });
};

function validate(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  const addressType = slice.addressType ?? '';
  required<string | undefined>(oneOf('FQDN', 'IPv4', 'IPv6'))(addressType, 'addressType', errors);
  slice.endpoints?.forEach((value, index) => {
    endpoint(value, addressType, `endpoints[${index}]`, errors);
  });
  ports(slice.ports, 'ports', errors);
  uniquePortNames(slice.ports, 'ports', errors);
  return errors;
}

/** Where an endpoint is has fields of its own in this version. */
function dropTopology({ endpoints }: EndpointSlice): void {
  for (const each of endpoints ?? []) delete each.deprecatedTopology;
}

/** The resources of the group `discovery.k8s.io`. */
export const discoveryResources: readonly Resource[] = [
  discovery<EndpointSlice>({
    resource: 'endpointslices',
    kind: 'EndpointSlice',
    namespaced: true,
    strategy: {
      metadataChecks: [1, 0],
      generation: true,
      generationChanged: (slice, old) => !deepEqual(slice.metadata.labels, old.metadata.labels),
      prepareForCreate: dropTopology,
      prepareForUpdate: dropTopology,
      default(slice) {
        for (const endpointPort of slice.ports ?? []) {
          endpointPort.name ??= '';
          endpointPort.protocol ??= 'TCP';
        }
      },
      validate,
      warnings: ({ addressType }) =>
        addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : [],
      validateUpdate(slice, old) {
        const errors = validate(slice);
        immutable(slice.addressType ?? '', old.addressType ?? '', 'addressType', errors);
        return errors;
      },
    },
  }),
];
