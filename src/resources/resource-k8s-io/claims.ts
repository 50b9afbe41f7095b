import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, invalid } from '../../apimachinery/field.ts';
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
    return deepEqual(now, shownClaimSpec(old.spec)) ? [] : [invalid('spec', now, 'field is immutable')];
  },
};

/** The metadata comes first and under its JSON names: upstream embeds it. */
function shownTemplate(template: ResourceClaimTemplateSpec | undefined): unknown {
  const metadata = Object.entries(template?.metadata ?? {}).filter(
    ([, value]) => typeof value !== 'object' || Object.keys(value ?? {}).length > 0,
  );
  return { ...Object.fromEntries(metadata), Spec: shownClaimSpec(template?.spec) };
}

function templateErrors({ spec }: ResourceClaimTemplate): FieldError[] {
  const errors: FieldError[] = [];
  labels(spec?.metadata?.labels, 'spec.metadata.labels', errors);
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
    if (!deepEqual(now, shownTemplate(old.spec))) errors.push(invalid('spec', now, 'field is immutable'));
    return errors;
  },
};
