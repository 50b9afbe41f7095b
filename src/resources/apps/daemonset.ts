import { deepEqual } from '../../apimachinery/equal.ts';
import { badRequest } from '../../apimachinery/errors.ts';
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { DaemonSet, DaemonSetSpec } from '../../generated/types/apps.v1.ts';
import { podTemplateWarnings } from '../core/pod-spec/warnings.ts';
import {
  defaultPodTemplate,
  type SelectorTexts,
  selectorIsImmutable,
  validateLongRunningTemplate,
  validateWorkloadSelector,
} from '../core/pod-template.ts';
import { statusSubresource } from '../group.ts';
import { keep, keepAllButStatus, withStatusFields } from '../strategies.ts';
import { isZero, validateIntOrPercent } from '../validation/int-or-percent.ts';
import { fields, nonNegative } from '../validation/rules.ts';
import { DAEMON_SET_STATUS, withStatusRules } from '../validation/workload-status.ts';
import { apps } from './group.ts';

const numbers = fields<DaemonSetSpec>({ minReadySeconds: nonNegative, revisionHistoryLimit: nonNegative });
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

function updateStrategy(strategy: DaemonSetSpec['updateStrategy'], errors: FieldError[]): void {
  const at = 'spec.updateStrategy';
  const rolling = strategy?.rollingUpdate;
  if (strategy?.type === 'OnDelete') return;
  if (strategy?.type !== 'RollingUpdate') {
    // Upstream prints its Go struct here.
    const shown =
      rolling === undefined ? null : { MaxUnavailable: rolling.maxUnavailable ?? 0, MaxSurge: rolling.maxSurge ?? 0 };
    const value = JSON.stringify({ Type: strategy?.type ?? '', RollingUpdate: shown });
    const body = `Unsupported value: ${value}: supported values: "RollingUpdate", "OnDelete"`;
    errors.push({ type: 'FieldValueNotSupported', field: at, body });
    return;
  }
  if (rolling === undefined) {
    errors.push(required(`${at}.rollingUpdate`));
    return;
  }
  const { maxUnavailable, maxSurge } = rolling;
  validateIntOrPercent(maxUnavailable, `${at}.rollingUpdate.maxUnavailable`, true, errors);
  validateIntOrPercent(maxSurge, `${at}.rollingUpdate.maxSurge`, true, errors);
  const noneUnavailable = isZero(maxUnavailable);
  const noneExtra = isZero(maxSurge);
  if (!noneUnavailable && !noneExtra) {
    const detail = 'may not be set when maxUnavailable is non-zero';
    errors.push(invalid(`${at}.rollingUpdate.maxSurge`, maxSurge, detail));
  } else if (noneUnavailable && noneExtra) {
    errors.push(required(`${at}.rollingUpdate.maxUnavailable`, 'cannot be 0 when maxSurge is 0'));
  }
}

const SELECTOR: SelectorTexts = { kind: 'daemonset', required: false };

function validate({ spec = {} as DaemonSetSpec }: DaemonSet): FieldError[] {
  const errors: FieldError[] = [];
  numbers(spec, 'spec', errors);
  validateWorkloadSelector(spec.selector, spec.template, SELECTOR, errors);
  validateLongRunningTemplate(spec.template, 'spec.template', errors, 'DaemonSet');
  updateStrategy(spec.updateStrategy, errors);
  return errors;
}

function setDefaults(spec: DaemonSetSpec): void {
  spec.updateStrategy ??= {};
  spec.updateStrategy.type ||= 'RollingUpdate';
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    spec.updateStrategy.rollingUpdate.maxUnavailable ??= 1;
    spec.updateStrategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
  defaultPodTemplate(spec);
}

const templateGeneration = ({ metadata }: DaemonSet): string => metadata.annotations?.[TEMPLATE_GENERATION] ?? '0';

/** A generation in its usual form. Throws BadRequest where Go's `strconv.ParseInt` fails. */
function parseGeneration(text: string): string {
  const failure = !/^[+-]?\d+$/.test(text)
    ? 'invalid syntax'
    : isInt64(BigInt(text.replace('+', '')))
      ? ''
      : 'value out of range';
  if (failure === '') return String(BigInt(text.replace('+', '')));
  const why = `strconv.ParseInt: parsing ${JSON.stringify(text)}: ${failure}`;
  throw badRequest(`DaemonSet in version "v1" cannot be handled as a DaemonSet: ${why}`);
}

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

function setTemplateGeneration({ metadata }: DaemonSet, generation: string): void {
  metadata.annotations = { ...metadata.annotations, [TEMPLATE_GENERATION]: generation };
}

const STATUS_FIELDS = [
  'currentNumberScheduled',
  'numberMisscheduled',
  'desiredNumberScheduled',
  'numberReady',
  'observedGeneration',
  'updatedNumberScheduled',
  'numberAvailable',
  'numberUnavailable',
  'collisionCount',
  'conditions',
];

const status = statusSubresource<DaemonSet>(
  'DaemonSet',
  withStatusRules(withStatusFields(keepAllButStatus(), STATUS_FIELDS), DAEMON_SET_STATUS),
);

/** DaemonSets. */
export const daemonSet = apps<DaemonSet>({
  resource: 'daemonsets',
  kind: 'DaemonSet',
  namespaced: true,
  shortNames: ['ds'],
  categories: ['all'],
  versionAnnotations: [TEMPLATE_GENERATION],
  subresources: [
    {
      ...status,
      strategy: {
        ...status.strategy,
        prepareForUpdate(daemonSet, old) {
          status.strategy?.prepareForUpdate(daemonSet, old);
          setTemplateGeneration(daemonSet, templateGeneration(old));
        },
      },
    },
  ],
  strategy: {
    metadataChecks: [0, 1],
    default(daemonSet) {
      daemonSet.spec ??= {} as DaemonSetSpec;
      setDefaults(daemonSet.spec);
      // Upstream's conversion reads it into the spec, and writes it whether or not anybody has set it.
      setTemplateGeneration(daemonSet, parseGeneration(templateGeneration(daemonSet)));
    },
    prepareForCreate(daemonSet) {
      daemonSet.status = {
        currentNumberScheduled: 0,
        numberMisscheduled: 0,
        desiredNumberScheduled: 0,
        numberReady: 0,
      };
      setTemplateGeneration(daemonSet, '1');
    },
    prepareForUpdate(daemonSet, old) {
      keep(daemonSet, old, 'status');
      const before = templateGeneration(old);
      const changed = !deepEqual(daemonSet.spec?.template, old.spec?.template);
      setTemplateGeneration(daemonSet, changed ? String(Number(before) + 1) : before);
    },
    validate,
    validateUpdate(daemonSet, old) {
      const errors = validate(daemonSet);
      selectorIsImmutable(daemonSet.spec?.selector, old.spec?.selector, errors);
      return errors;
    },
    warnings: (daemonSet, old) =>
      old !== undefined && deepEqual(daemonSet.spec?.template, old.spec?.template)
        ? []
        : podTemplateWarnings(daemonSet.spec?.template, 'spec.template'),
  },
});
