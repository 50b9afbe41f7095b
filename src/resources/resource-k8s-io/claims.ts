import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid } from '../../apimachinery/field.ts';
import { validateAnnotations } from '../../apimachinery/validation/meta.ts';
import type {
  ResourceClaim,
  ResourceClaimTemplate,
  ResourceClaimTemplateSpec,
} from '../../generated/types/resource.v1.ts';
import type { Strategy } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';
import { labels } from '../validation/formats.ts';
import { claimSpecErrors, defaultClaimSpec, shownClaimSpec } from './claim-spec.ts';

/** How ResourceClaims are made: nobody changes what was asked for. */
export const resourceClaim: Strategy<ResourceClaim> = {
  ...statusIsSeparate<ResourceClaim>({}),
  generation: false,
  default({ spec }) {
    defaultClaimSpec(spec);
  },
  validate: ({ spec }) => claimSpecErrors(spec, 'spec'),
  validateUpdate({ spec }, old) {
    const now = shownClaimSpec(spec);
    return deepEqual(filled(now), filled(shownClaimSpec(old.spec))) ? [] : [invalid('spec', now, 'field is immutable')];
  },
};

/** The fields of a claim's metadata, in upstream's order. */
const METADATA = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'ownerReferences',
  'finalizers',
  'managedFields',
];

/** The metadata comes first and under its JSON names: upstream embeds it. */
function shownTemplate(template: ResourceClaimTemplateSpec | undefined): unknown {
  const said = (template?.metadata ?? {}) as Readonly<Record<string, unknown>>;
  const metadata = METADATA.map((field) => [field, said[field]] as const).filter(
    ([, value]) => value !== undefined && (typeof value !== 'object' || Object.keys(value ?? {}).length > 0),
  );
  return { ...Object.fromEntries(metadata), Spec: shownClaimSpec(template?.spec) };
}

function templateErrors({ spec }: ResourceClaimTemplate): FieldError[] {
  const errors: FieldError[] = [];
  const metadata = (spec?.metadata ?? {}) as Readonly<Record<string, unknown>>;
  labels(spec?.metadata?.labels, 'spec.metadata.labels', errors);
  errors.push(...validateAnnotations(spec?.metadata?.annotations, 'spec.metadata.annotations'));
  for (const field of METADATA) {
    const value = metadata[field];
    if (
      field === 'labels' ||
      field === 'annotations' ||
      value === undefined ||
      value === null ||
      value === '' ||
      (value === 0 && field === 'generation')
    )
      continue;
    // Upstream's path has the field in another form.
    errors.push(forbiddenField(`spec.metadata.${field === 'uid' ? 'uID' : field}`, 'cannot be set'));
  }
  return [...errors, ...claimSpecErrors(spec?.spec, 'spec.spec')];
}

/** How ResourceClaimTemplates are made. */
export const resourceClaimTemplate: Strategy<ResourceClaimTemplate> = {
  generation: false,
  default({ spec }) {
    defaultClaimSpec(spec?.spec);
  },
  validate: templateErrors,
  validateUpdate(template, old) {
    const errors = templateErrors(template);
    const now = shownTemplate(template.spec);
    if (!deepEqual(filled(now), filled(shownTemplate(old.spec)))) {
      errors.push(invalid('spec', now, 'field is immutable'));
    }
    return errors;
  },
};

/** A printed value with empty lists and maps as none (`Semantic.DeepEqual`). */
function filled(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Object.keys(value).length === 0) return null;
  if (Array.isArray(value)) return value.map(filled);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, filled(part)]));
}
