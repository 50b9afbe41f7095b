/** The labels by which a namespace says what its pods may do; the plugin PodSecurity goes by them. */

import { type FieldError, invalid, item } from '../../apimachinery/field.ts';
import { isLabelValue } from '../../apimachinery/names.ts';

const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS = ['privileged', 'baseline', 'restricted'];

/** What is wrong with the labels (`ValidateNamespace` of upstream's plugin). */
export function podSecurityLabelErrors(labels: Record<string, string> = {}): FieldError[] {
  const errors: FieldError[] = [];
  for (const mode of ['enforce', 'audit', 'warn']) {
    const level = labels[PREFIX + mode];
    // What is no label value at all is refused as such.
    if (level !== undefined && !LEVELS.includes(level) && isLabelValue(level).length === 0) {
      errors.push(invalid(item('metadata.labels', PREFIX + mode), level, `must be one of ${LEVELS.join(', ')}`));
    }
    const version = labels[`${PREFIX}${mode}-version`];
    if (version === undefined || isLabelValue(version).length > 0) continue;
    if (version !== 'latest' && !/^v1\.(0|[1-9]\d*)$/.test(version)) {
      errors.push(invalid(item('metadata.labels', `${PREFIX}${mode}-version`), version, 'must be "latest" or "v1.x"'));
    }
  }
  return errors;
}
