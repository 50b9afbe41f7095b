/** The addresses of a Service and their families, on a network that has one: IPv4. */
import { invalidObject } from '../../apimachinery/errors.ts';
import { duplicate, type FieldError, invalid, notSupported, required } from '../../apimachinery/field.ts';
import { ipFamily, isIp } from '../../apimachinery/networks.ts';
import type { Service, ServiceSpec } from '../../generated/types/core.v1.ts';
import { isHeadless } from './service-fields.ts';

const FAMILIES = ['IPv4', 'IPv6'];
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const AT = 'spec.clusterIPs';
const POLICY = 'spec.ipFamilyPolicy';

const listOf = (list: readonly string[] | undefined): readonly string[] => list ?? [];
const isSame = (one: readonly string[] | undefined, other: readonly string[] | undefined): boolean =>
  listOf(one).length === listOf(other).length && listOf(one).every((value, index) => value === listOf(other)[index]);
const familyOf = (address: string): string => (ipFamily(address) === 6 ? 'IPv6' : 'IPv4');

/** Errors of addresses, families and policy as far as they concern each other (`ValidateServiceClusterIPsRelatedFields`). */
export function addressErrors(spec: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const addresses = listOf(spec.clusterIPs);
  const families = listOf(spec.ipFamilies);
  if (!spec.clusterIP) {
    const detail = 'must be empty when `clusterIP` is not specified';
    if (addresses.length > 0) errors.push(invalid(AT, addresses, detail));
  } else if (addresses.length === 0) errors.push(required(AT));
  else if (addresses[0] !== spec.clusterIP) errors.push(invalid(AT, addresses, 'first value must match `clusterIP`'));
  families.forEach((family, index) => {
    const at = `spec.ipFamilies[${index}]`;
    if (!FAMILIES.includes(family)) errors.push(notSupported(at, family, FAMILIES));
    if (families.indexOf(family) < index) errors.push(duplicate(at, family));
  });
  const policy = spec.ipFamilyPolicy;
  if (policy !== undefined && !POLICIES.includes(policy)) errors.push(notSupported(POLICY, policy, POLICIES));
  const before = errors.length;
  addresses.forEach((address, index) => {
    if (index > 0 || address !== 'None') {
      for (const problem of isIp(address)) errors.push(invalid(`${AT}[${index}]`, address, problem));
    } else if (addresses.length > 1) {
      errors.push(invalid(AT, addresses, "'None' must be the first and only value"));
    }
  });
  const areWrong = errors.length > before;
  if (addresses.length > 2) errors.push(invalid(AT, addresses, 'may only hold up to 2 values'));
  // What follows from wrong addresses would be wrong, too.
  return areWrong ? errors : [...errors, ...matchErrors(spec, addresses, families)];
}

function matchErrors(spec: ServiceSpec, addresses: readonly string[], families: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  if (addresses.length > 1 && new Set(addresses.map(familyOf)).size < 2) {
    errors.push(invalid(AT, addresses, 'may specify no more than one IP for each IP family'));
  }
  if (isHeadless(spec)) return errors;
  addresses.forEach((address, index) => {
    const family = families[index];
    if (family === undefined || !FAMILIES.includes(family) || family === familyOf(address)) return;
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``;
    errors.push(invalid(`${AT}[${index}]`, address, detail));
  });
  return errors;
}

/** Whether a change leaves a Service that would like both families just as it was: it is not asked again. */
function staysDualStack(spec: ServiceSpec, was: ServiceSpec): boolean {
  const policies = [spec.ipFamilyPolicy, was.ipFamilyPolicy ?? 'PreferDualStack'];
  if (spec.type !== was.type || policies.some((policy) => policy !== 'PreferDualStack')) return false;
  return isSame(spec.clusterIPs, was.clusterIPs) && isSame(spec.ipFamilies, was.ipFamilies);
}

/**
 * Gives a new or changed Service its policy and families, in place, ahead of all other checks (`initIPFamilyFields`).
 * Throws Invalid with what is wrong with its addresses alone.
 */
export function settleFamilies(service: Service, old?: Service): void {
  const { spec } = service;
  const was = old?.spec;
  if (spec === undefined || spec.type === 'ExternalName') return;
  if (was !== undefined && staysDualStack(spec, was)) return;
  const isOpen = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= was?.ipFamilyPolicy ?? (isOpen ? 'RequireDualStack' : 'SingleStack');
  refuse(service, addressErrors(spec));
  const isSingle = spec.ipFamilyPolicy === 'SingleStack';
  refuse(service, isSingle ? releaseOrRefuse(spec, was) : reductionErrors(spec, was));
  inferFamilies(service, spec);
  if (isOpen) {
    if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
    const [only] = spec.ipFamilies;
    if (spec.ipFamilies.length < 2 && !isSingle) spec.ipFamilies.push(only === 'IPv4' ? 'IPv6' : 'IPv4');
    return;
  }
  refuse(service, stackErrors(spec));
  if (!spec.ipFamilies?.length) spec.ipFamilies = ['IPv4'];
}

function refuse({ metadata }: Service, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'Service' }, metadata.name, errors);
}

/** That there is to be one family alone takes the second of what is as it was, and is refused of what is new. */
function releaseOrRefuse(spec: ServiceSpec, was: ServiceSpec | undefined): FieldError[] {
  if (was !== undefined) {
    if (isSame(spec.clusterIPs, was.clusterIPs) && listOf(spec.clusterIPs).length > 1) {
      spec.clusterIPs = spec.clusterIPs?.slice(0, 1) ?? [];
    }
    if (isSame(spec.ipFamilies, was.ipFamilies) && listOf(spec.ipFamilies).length > 1) {
      spec.ipFamilies = spec.ipFamilies?.slice(0, 1) ?? [];
    }
  }
  const detail = "must be 'RequireDualStack' or 'PreferDualStack' when multiple";
  return [
    ...(listOf(spec.clusterIPs).length === 2
      ? [invalid(POLICY, spec.ipFamilyPolicy, `${detail} cluster IPs are specified`)]
      : []),
    ...(listOf(spec.ipFamilies).length === 2
      ? [invalid(POLICY, spec.ipFamilyPolicy, `${detail} IP families are specified`)]
      : []),
  ];
}

function reductionErrors(spec: ServiceSpec, was: ServiceSpec | undefined): FieldError[] {
  const isReduced = (field: 'clusterIPs' | 'ipFamilies'): boolean => {
    const [now, before] = [listOf(spec[field]), listOf(was?.[field])];
    return now.length > 0 && now.length < before.length && now[0] === before[0];
  };
  const detail = "must be 'SingleStack' to release the secondary";
  return [
    ...(isReduced('clusterIPs') ? [invalid(POLICY, spec.ipFamilyPolicy, `${detail} cluster IP`)] : []),
    ...(isReduced('ipFamilies') ? [invalid(POLICY, spec.ipFamilyPolicy, `${detail} IP family`)] : []),
  ];
}

function inferFamilies(service: Service, spec: ServiceSpec): void {
  const errors: FieldError[] = [];
  const addresses = listOf(spec.clusterIPs);
  if (addresses[0] === 'None') return;
  addresses.forEach((address, index) => {
    if (index < listOf(spec.ipFamilies).length) return;
    const family = familyOf(address);
    if (family === 'IPv6') {
      errors.push(invalid(`${AT}[${index}]`, addresses, `${family} is not configured on this cluster`));
    } else spec.ipFamilies = [...listOf(spec.ipFamilies), family];
  });
  refuse(service, errors);
}

/** What needs a second family cannot be had. */
function stackErrors(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    errors.push(invalid(POLICY, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'));
  }
  listOf(spec.ipFamilies).forEach((family, index) => {
    if (family !== 'IPv4') errors.push(invalid(`spec.ipFamilies[${index}]`, family, 'not configured on this cluster'));
  });
  return errors;
}

/** Errors of addresses and families that change though they may not (`validateUpgradeDowngradeClusterIPs`, `…IPFamilies`). */
export function addressChangeErrors(spec: ServiceSpec, was: ServiceSpec): FieldError[] {
  if (spec.type === 'ExternalName' || was.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const [headless, wasHeadless] = [isHeadless(spec), isHeadless(was)];
  const policyError = (what: string): FieldError =>
    invalid(POLICY, spec.ipFamilyPolicy, `must be set to 'SingleStack' when releasing the secondary ${what}`);
  const [now, before] = [listOf(spec.clusterIPs), listOf(was.clusterIPs)];
  if (!headless || !wasHeadless) {
    const moved = (index: number): FieldError => invalid(`${AT}[${index}]`, now, 'may not change once set');
    if (now.length === before.length) {
      before.forEach((address, index) => {
        if (address !== now[index]) errors.push(moved(index));
      });
    } else if (before.length > 0) {
      if (now.length === 0) errors.push(invalid(`${AT}[0]`, now, 'primary clusterIP can not be unset'));
      else if (now[0] !== before[0]) errors.push(moved(0));
      if (now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack') errors.push(policyError('clusterIP'));
    }
  }
  if (headless || wasHeadless) return errors;
  const [families, old] = [listOf(spec.ipFamilies), listOf(was.ipFamilies)];
  const changed = families.length === old.length ? old.filter((family, i) => family !== families[i]) : [];
  for (const _ of changed) errors.push(invalid('spec.ipFamilies[0]', families, 'may not change once set'));
  if (families.length !== old.length && families.length > 0 && old.length > 0 && families[0] !== old[0]) {
    errors.push(invalid('spec.ipFamilies[0]', now, 'may not change once set'));
  }
  return errors;
}
