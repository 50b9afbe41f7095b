import { type FieldError, required as requiredError } from '../../apimachinery/field.ts';
import type { EndpointAddress, EndpointPort, EndpointSubset, Endpoints } from '../../generated/types/core.v1.ts';
import { dns1123Label, dns1123Subdomain, ip, nonSpecialIP, port, qualifiedName } from '../validation/formats.ts';
import { ipWarnings } from '../validation/network-warnings.ts';
import { all, check, each, fields, oneOf, optional, present, type Rule, required } from '../validation/rules.ts';
import { core } from './group.ts';

const address = fields<EndpointAddress>({
  ip: all<string | undefined>(ip, (value, path, errors) => nonSpecialIP(value ?? '', path, errors)),
  hostname: optional<string>(dns1123Label),
  nodeName: present(dns1123Subdomain),
});

const portFields = fields<EndpointPort>({
  port,
  protocol: required<string | undefined>(oneOf('SCTP', 'TCP', 'UDP')),
  appProtocol: present(qualifiedName),
});

const subset: Rule<EndpointSubset> = (value, path, errors) => {
  if (!value.addresses?.length && !value.notReadyAddresses?.length) {
    errors.push(requiredError(path, 'must specify `addresses` or `notReadyAddresses`'));
  }
  each(address)(value.addresses, `${path}.addresses`, errors);
  each(address)(value.notReadyAddresses, `${path}.notReadyAddresses`, errors);
  const ports: readonly EndpointPort[] = value.ports ?? [];
  ports.forEach((endpointPort, index) => {
    const at = `${path}.ports[${index}]`;
    const name = required<string | undefined>(dns1123Label);
    (ports.length > 1 ? name : optional<string>(dns1123Label))(endpointPort.name, `${at}.name`, errors);
    portFields(endpointPort, at, errors);
  });
};

const subsets = each(subset);
const validate = (endpoints: Endpoints): FieldError[] => check(subsets, endpoints.subsets, 'subsets');

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';

/** The controller writes good addresses. */
function warnings({ metadata, subsets: list = [] }: Endpoints): string[] {
  if (metadata.labels?.[MANAGED_BY] === 'endpoint-controller') return [];
  return list.flatMap((each, index) =>
    (['addresses', 'notReadyAddresses'] as const).flatMap((kind) =>
      (each[kind] ?? []).flatMap(({ ip = '' }, position) =>
        ipWarnings(ip, `subsets[${index}].${kind}[${position}].ip`),
      ),
    ),
  );
}

/** Endpoints. */
export const endpoints = core<Endpoints>({
  resource: 'endpoints',
  kind: 'Endpoints',
  namespaced: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  shortNames: ['ep'],
  strategy: {
    createOnUpdate: true,
    default(endpoints) {
      for (const { ports } of endpoints.subsets ?? []) {
        for (const endpointPort of ports ?? []) endpointPort.protocol ||= 'TCP';
      }
    },
    validate,
    warnings,
  },
});
