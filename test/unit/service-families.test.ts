import { expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { Service, ServiceSpec } from '../../src/generated/types/core.v1.ts';
import { settleFamilies } from '../../src/resources/core/service-families.ts';

const service = (spec: Partial<ServiceSpec>): Service => ({
  metadata: { name: 's' },
  spec: { type: 'ClusterIP', selector: { a: 'b' }, ...spec } as ServiceSpec,
});

/** What becomes of the families and the policy, or what is said instead. */
function settled(spec: Partial<ServiceSpec>, old?: Partial<ServiceSpec>): unknown {
  const given = service(spec);
  try {
    settleFamilies(given, old === undefined ? undefined : service(old));
    return [given.spec?.ipFamilyPolicy, given.spec?.ipFamilies];
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.status.details?.causes?.map(({ field, message }) => `${field}: ${message}`);
  }
}

const NO_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const one = { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] };

it.each<[Partial<ServiceSpec>, unknown]>([
  [{}, ['SingleStack', ['IPv4']]],
  [one, ['SingleStack', ['IPv4']]],
  [{ type: 'ExternalName' }, [undefined, undefined]],
  [{ clusterIP: 'None', clusterIPs: ['None'] }, ['SingleStack', ['IPv4']]],
  [{ clusterIP: 'None', clusterIPs: ['None'], selector: {} }, ['RequireDualStack', ['IPv4', 'IPv6']]],
  [{ ipFamilyPolicy: 'PreferDualStack' }, ['PreferDualStack', ['IPv4']]],
  [
    { ipFamilyPolicy: 'RequireDualStack' },
    ['spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
  ],
  [{ ipFamilies: ['IPv6'] }, ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']],
  [{ clusterIP: 'x', clusterIPs: ['x'] }, [`spec.clusterIPs[0]: Invalid value: "x": ${NO_IP}`]],
  [
    { clusterIP: 'fd00::1', clusterIPs: ['fd00::1'] },
    ['spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster'],
  ],
  [
    { clusterIPs: ['10.0.0.1'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1"]: must be empty when `clusterIP` is not specified'],
  ],
  [
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
  ],
  [
    { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4', 'IPv6'] },
    [
      "spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    ],
  ],
])('a new Service %#', (spec, expected) => expect(settled(spec)).toEqual(expected));

it.each<[Partial<ServiceSpec>, Partial<ServiceSpec>, unknown]>([
  [one, { ...one, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }, ['SingleStack', ['IPv4']]],
  [one, { ...one, ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'] }, ['PreferDualStack', ['IPv4']]],
  [
    { ...one, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4', 'IPv6'] },
    { ...one, ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] },
    ['SingleStack', ['IPv4']],
  ],
])('a changed Service %#', (spec, old, expected) => expect(settled(spec, old)).toEqual(expected));
