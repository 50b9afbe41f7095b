/** What a claim asks for (`validateDeviceClaim`), and its defaults. */
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../../apimachinery/field.ts';
import { isDns1123Label } from '../../apimachinery/names.ts';
import type {
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ResourceClaimSpec,
} from '../../generated/types/resource.v1.ts';
import { dns1123Label, dns1123Subdomain } from '../validation/formats.ts';
import { listOf, nullable, number, pointerTo, struct, text } from '../validation/go-struct.ts';
import { each, required as requiredRule } from '../validation/rules.ts';
import { deviceConfiguration, deviceToleration, fullAttributeName, selectorErrors } from './devices.ts';

const MOST = 32;
const MOST_ALTERNATIVES = 8;
const MODES = ['All', 'ExactCount'];
const className = requiredRule<string>(dns1123Subdomain);

function defaultRequest(request: DeviceSubRequest): void {
  request.allocationMode ||= 'ExactCount';
  if (request.allocationMode === 'ExactCount') request.count ||= 1;
  for (const toleration of request.tolerations ?? []) toleration.operator ||= 'Equal';
}

/** Fills in how many devices each request wants, in place. */
export function defaultClaimSpec(spec: ResourceClaimSpec | undefined): void {
  for (const request of spec?.devices?.requests ?? []) {
    if (request.exactly !== undefined) defaultRequest(request.exactly);
    request.firstAvailable?.forEach(defaultRequest);
  }
}

/** Errors of what is the same in a request and in an alternative of one. */
function wantedErrors(request: DeviceSubRequest, at: string, errors: FieldError[]): void {
  const { allocationMode = '', count = 0 } = request;
  className(request.deviceClassName, `${at}.deviceClassName`, errors);
  selectorErrors(request.selectors, `${at}.selectors`, errors);
  if (allocationMode === 'All') {
    if (count !== 0) {
      errors.push(invalid(`${at}.count`, count, "must not be specified when allocationMode is 'All'"));
    }
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${at}.count`, count, 'must be greater than zero'));
  } else {
    errors.push(notSupported(`${at}.allocationMode`, allocationMode, MODES));
  }
  each(deviceToleration)(request.tolerations, `${at}.tolerations`, errors);
}

/** No two with the same name; the error points at the second. */
function uniqueNames(list: readonly { name?: string }[], path: string, errors: FieldError[]): void {
  list.forEach(({ name = '' }, index) => {
    const first = list.findIndex((other) => (other.name ?? '') === name);
    if (first < index) errors.push(duplicate(`${path}[${index}]`, name));
  });
}

function requestErrors(request: DeviceRequest, at: string, errors: FieldError[]): void {
  dns1123Label(request.name, `${at}.name`, errors);
  const { exactly, firstAvailable = [] } = request;
  const one = 'exactly one of `exactly` or `firstAvailable` is required';
  if (exactly !== undefined && firstAvailable.length > 0) {
    errors.push(invalid(at, undefined, `${one}, but multiple fields are set`));
    return;
  }
  if (exactly === undefined && firstAvailable.length === 0) errors.push(required(at, one));
  if (exactly !== undefined) wantedErrors(exactly, `${at}.exactly`, errors);
  const alternatives = `${at}.firstAvailable`;
  if (firstAvailable.length > MOST_ALTERNATIVES) {
    errors.push(tooMany(alternatives, firstAvailable.length, MOST_ALTERNATIVES));
    return;
  }
  firstAvailable.forEach((alternative, index) => {
    dns1123Label(alternative.name, `${alternatives}[${index}].name`, errors);
    wantedErrors(alternative, `${alternatives}[${index}]`, errors);
  });
  uniqueNames(firstAvailable, alternatives, errors);
}

const REFERENCE =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

function referenceErrors(
  list: readonly string[] = [],
  known: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  if (list.length > MOST) errors.push(tooMany(path, list.length, MOST));
  list.forEach((name, index) => {
    const at = `${path}[${index}]`;
    requestReference(name, known, at, errors);
    if (list.indexOf(name) < index) errors.push(duplicate(at, name));
  });
}

/** Errors of the name of a request, or of an alternative of one. */
export function requestReference(name: string, known: ReadonlySet<string>, path: string, errors: FieldError[]): void {
  const parts = name.split('/');
  for (const part of parts.length > 2 ? [] : parts) {
    for (const problem of isDns1123Label(part)) errors.push(invalid(path, part, problem));
  }
  if (!known.has(name)) errors.push(invalid(path, name, REFERENCE));
}

/** The names of a claim's requests, and of their alternatives. */
export const requestNames = (spec: ResourceClaimSpec | undefined): ReadonlySet<string> =>
  new Set(
    (spec?.devices?.requests ?? []).flatMap(({ name = '', firstAvailable = [] }) => [
      name,
      ...firstAvailable.map((alternative) => `${name}/${alternative.name ?? ''}`),
    ]),
  );

function constraintErrors({ matchAttribute, distinctAttribute }: DeviceConstraint, at: string, errors: FieldError[]) {
  // Of both the first alone is looked at.
  if (matchAttribute !== undefined) fullAttributeName(matchAttribute, `${at}.matchAttribute`, errors);
  else if (distinctAttribute !== undefined) fullAttributeName(distinctAttribute, `${at}.distinctAttribute`, errors);
  else {
    const one = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
    errors.push(required(at, one));
  }
}

/** Errors of a claim's spec at a path. */
export function claimSpecErrors(spec: ResourceClaimSpec | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const at = `${path}.devices`;
  const { requests = [], constraints = [], config = [] } = spec?.devices ?? {};
  for (const [field, list] of Object.entries({ requests, constraints, config })) {
    if (list.length > MOST) errors.push(tooMany(`${at}.${field}`, list.length, MOST));
  }
  requests.forEach((request, index) => {
    requestErrors(request, `${at}.requests[${index}]`, errors);
  });
  uniqueNames(requests, `${at}.requests`, errors);
  const known = requestNames(spec);
  constraints.forEach((constraint, index) => {
    referenceErrors(constraint.requests, known, `${at}.constraints[${index}].requests`, errors);
    constraintErrors(constraint, `${at}.constraints[${index}]`, errors);
  });
  config.forEach((configuration, index) => {
    referenceErrors(configuration.requests, known, `${at}.config[${index}].requests`, errors);
    deviceConfiguration(configuration, `${at}.config[${index}]`, errors);
  });
  return errors;
}

const selectors = listOf(struct({ CEL: pointerTo(struct({ Expression: text })) }));
/** Tolerations as messages print them. */
export const shownTolerations = listOf(
  struct({ Key: text, Operator: text, Value: text, Effect: text, TolerationSeconds: nullable }),
);
const wanted = { DeviceClassName: text, Selectors: selectors, AllocationMode: text, Count: number };
const capacity = pointerTo(struct({ Requests: nullable }));

/** A claim's spec as messages print it. */
export const shownClaimSpec = struct({
  Devices: struct({
    Requests: listOf(
      struct({
        Name: text,
        Exactly: pointerTo(
          struct({ ...wanted, AdminAccess: nullable, Tolerations: shownTolerations, Capacity: capacity }),
        ),
        FirstAvailable: listOf(struct({ Name: text, ...wanted, Tolerations: shownTolerations, Capacity: capacity })),
      }),
    ),
    Constraints: listOf(struct({ Requests: nullable, MatchAttribute: nullable, DistinctAttribute: nullable })),
    Config: listOf(struct({ Requests: nullable, Opaque: pointerTo(struct({ Driver: text, Parameters: nullable })) })),
  }),
});
