/** Tolerations and topology spread constraints. */
import { invalid } from '../../../apimachinery/field.ts';
import { isLabelValue } from '../../../apimachinery/names.ts';
import type { Toleration, TopologySpreadConstraint } from '../../../generated/types/core.v1.ts';
import { qualifiedName } from '../../validation/formats.ts';
import {
  all,
  each,
  fields,
  oneOf,
  optional,
  present,
  type Rule,
  required,
  unsupported,
} from '../../validation/rules.ts';
import { labelSelector } from '../../validation/selectors.ts';
import { labelKeys } from './label-keys.ts';

const effect = oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute');

const OPERATORS = ['Equal', 'Exists'];
/** Of a feature that is off. */
const COMPARISONS = ['Lt', 'Gt'];

const toleration: Rule<Toleration> = (value, path, errors) => {
  const { key = '', operator = '' } = value;
  const at = `${path}.operator`;
  optional<string>(qualifiedName)(value.key, `${path}.key`, errors);
  if (key === '' && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
    errors.push(invalid(at, operator, detail));
  }
  if (value.tolerationSeconds !== undefined && value.effect !== 'NoExecute') {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set";
    errors.push(invalid(`${path}.effect`, value.effect ?? '', detail));
  }
  if (operator === 'Equal' || operator === '') {
    const problems = isLabelValue(value.value ?? '');
    if (problems.length > 0) errors.push(invalid(at, value.value, problems.join(';')));
  } else if (operator !== 'Exists') {
    errors.push(unsupported(at, operator, COMPARISONS.includes(operator) ? [...OPERATORS, ...COMPARISONS] : OPERATORS));
  } else if (value.value) {
    errors.push(invalid(at, value.value, "value must be empty when `operator` is 'Exists'"));
  }
  optional<string>(effect)(value.effect, `${path}.effect`, errors);
};

/** `tolerations` of a pod (`ValidateTolerations`). */
export const tolerations: Rule<readonly Toleration[] | undefined> = each(toleration);

const aboveZero: Rule<number | undefined> = (value, path, errors) => {
  if ((value ?? 0) <= 0) errors.push(invalid(path, value ?? 0, 'must be greater than zero'));
};

const policy = present(oneOf('Honor', 'Ignore'));
const constraintFields = fields<TopologySpreadConstraint>({
  maxSkew: aboveZero,
  topologyKey: required<string | undefined>(undefined, 'can not be empty'),
  whenUnsatisfiable: oneOf('DoNotSchedule', 'ScheduleAnyway'),
  minDomains: present(aboveZero),
  nodeAffinityPolicy: policy,
  nodeTaintsPolicy: policy,
  labelSelector,
});

const constraint: Rule<TopologySpreadConstraint> = (value, path, errors) => {
  constraintFields(value, path, errors);
  labelKeys(value, path, errors);
  if (value.minDomains !== undefined && value.whenUnsatisfiable !== 'DoNotSchedule') {
    const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${value.whenUnsatisfiable ?? ''}`;
    errors.push(invalid(`${path}.minDomains`, value.minDomains, detail));
  }
};

/** The error of a pair that was there before points at the first constraint of the two. */
const uniquePairs: Rule<readonly TopologySpreadConstraint[] | undefined> = (list = [], path, errors) => {
  const pair = (c: TopologySpreadConstraint): string => `{${c.topologyKey ?? ''}, ${c.whenUnsatisfiable ?? ''}}`;
  list.forEach((value, index) => {
    if (!list.slice(index + 1).some((later) => pair(later) === pair(value))) return;
    const field = `${path}[${index}].{topologyKey, whenUnsatisfiable}`;
    const body = `Duplicate value: ${JSON.stringify(pair(value))}`;
    errors.push({ type: 'FieldValueDuplicate', field, body });
  });
};

/** `topologySpreadConstraints` of a pod. */
export const topologySpreadConstraints: Rule<readonly TopologySpreadConstraint[] | undefined> = all<
  readonly TopologySpreadConstraint[] | undefined
>(each(constraint), uniquePairs);
