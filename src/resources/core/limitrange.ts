import { duplicate, type FieldError, forbiddenField, invalid, required } from '../../apimachinery/field.ts';
import { isQualifiedName } from '../../apimachinery/names.ts';
import { canonical, compareQuantity, toMilli, toNumber } from '../../apimachinery/quantity.ts';
import type { LimitRange, LimitRangeItem } from '../../generated/types/core.v1.ts';
import { containerResourceName, isOvercommittable, resourceName } from '../validation/resource-names.ts';
import { core } from './group.ts';

const TYPES = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);
/** Above this an amount has no thousandths: they would not fit in 64 bits. */
const MAX_MILLI = 2 ** 63 / 1000;
const AMOUNTS = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
type Amounts = Record<string, string>;

/** The limits of containers follow from each other: default from max, defaultRequest from default, then from min. */
function setDefaults({ spec }: LimitRange): void {
  for (const limit of spec?.limits ?? []) {
    if (limit.type !== 'Container') continue;
    limit.default = { ...limit.max, ...limit.default };
    limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
    if (Object.keys(limit.default).length === 0) delete limit.default;
    if (Object.keys(limit.defaultRequest).length === 0) delete limit.defaultRequest;
  }
}

function typeErrors(type: string, path: string): FieldError[] {
  const problems = isQualifiedName(type);
  if (problems.length === 0 && !type.includes('/') && !TYPES.has(type)) {
    problems.push('must be a standard limit type or fully qualified');
  }
  return problems.map((problem) => invalid(path, type, problem));
}

/** The amounts of one resource in one limit; only those that are given are compared. */
function compareAmounts(limit: LimitRangeItem, name: string, path: string, errors: FieldError[]): void {
  const texts = (field: (typeof AMOUNTS)[number]): string | undefined => {
    const amount = (limit[field] as Amounts | undefined)?.[name];
    return amount === undefined ? undefined : canonical(amount);
  };
  const [max, min, standard, request, ratio] = AMOUNTS.map(texts);
  const at = (field: string): string => `${path}.${field}[${name}]`;
  const ordered = (low: string | undefined, high: string | undefined): boolean =>
    low === undefined || high === undefined || compareQuantity(low, high) <= 0;
  const say = (field: string, value: string | undefined, detail: string): void => {
    errors.push(invalid(at(field), value, detail));
  };
  if (!ordered(min, max)) say('min', min, `min value ${min} is greater than max value ${max}`);
  if (!ordered(min, request)) {
    say('defaultRequest', request, `min value ${min} is greater than default request value ${request}`);
  }
  if (!ordered(request, max)) {
    say('defaultRequest', request, `default request value ${request} is greater than max value ${max}`);
  }
  if (!ordered(request, standard)) {
    say('defaultRequest', request, `default request value ${request} is greater than default limit value ${standard}`);
  }
  if (!ordered(min, standard)) say('default', min, `min value ${min} is greater than default value ${standard}`);
  if (!ordered(standard, max)) say('default', max, `default value ${standard} is greater than max value ${max}`);
  if (!ordered('1', ratio)) say('maxLimitRequestRatio', ratio, `ratio ${ratio} is less than 1`);
  if (ratio !== undefined && min !== undefined && max !== undefined) {
    const most = mostRatio(ratio, min, max);
    if (most.ratio > most.limit) {
      const limitText = Number.isFinite(most.limit) ? most.limit.toFixed(6) : goInfinity(most.limit);
      say('maxLimitRequestRatio', ratio, `ratio ${ratio} is greater than max/min = ${limitText}`);
    }
  }
  if (
    !isOvercommittable(name) &&
    request !== undefined &&
    !(ordered(request, standard) && ordered(standard, request))
  ) {
    say('default', standard, `default value ${standard} must equal to defaultRequest value ${request} in ${name}`);
  }
}

const goInfinity = (value: number): string => (Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf');

/** Compared in thousandths, where they fit in 64 bits, else in whole units. */
function mostRatio(ratio: string, min: string, max: string): { ratio: number; limit: number } {
  const fits = [ratio, min, max].every((amount) => toNumber(amount) < MAX_MILLI);
  const read = fits ? toMilli : toNumber;
  return { ratio: fits ? read(ratio) / 1000 : read(ratio), limit: read(max) / read(min) };
}

function limitErrors(limit: LimitRangeItem, path: string, errors: FieldError[]): void {
  const isOfContainers = limit.type === 'Pod' || limit.type === 'Container';
  const nameRule = isOfContainers ? containerResourceName : resourceName;
  const names = new Set<string>();
  for (const field of AMOUNTS) {
    const amounts = limit[field] as Amounts | undefined;
    if (limit.type === 'Pod' && field.startsWith('default')) {
      if (Object.keys(amounts ?? {}).length > 0) {
        errors.push(forbiddenField(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name of Object.keys(amounts ?? {})) {
      nameRule(name, `${path}.${field}[${name}]`, errors);
      names.add(name);
    }
  }
  if (limit.type === 'PersistentVolumeClaim' && !limit.min?.['storage'] && !limit.max?.['storage']) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${path}.limits`, detail));
  }
  for (const name of names) compareAmounts(limit, name, path, errors);
}

/** `ValidateLimitRange`. */
function validate({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  (spec?.limits ?? []).forEach((limit, index) => {
    const path = `spec.limits[${index}]`;
    const type = limit.type ?? '';
    errors.push(...typeErrors(type, `${path}.type`));
    if (types.has(type)) errors.push(duplicate(`${path}.type`, type));
    types.add(type);
    limitErrors(limit, path, errors);
  });
  return errors;
}

/** LimitRanges. One without a name is given one. */
export const limitRange = core<LimitRange>({
  resource: 'limitranges',
  kind: 'LimitRange',
  namespaced: true,
  shortNames: ['limits'],
  strategy: {
    createOnUpdate: true,
    default: setDefaults,
    prepareForCreate({ metadata }) {
      metadata.name ||= crypto.randomUUID();
    },
    validate,
    generation: false,
    metadataChecks: [1, 0],
  },
});
