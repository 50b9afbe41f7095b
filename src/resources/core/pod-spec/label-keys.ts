/** `matchLabelKeys` and `mismatchLabelKeys`: what may stand in them (`ValidateMatchLabelKeysAndMismatchLabelKeys`). */
import { type FieldError, forbiddenField, invalid } from '../../../apimachinery/field.ts';
import type { LabelSelector } from '../../../generated/types/meta.v1.ts';
import { qualifiedName } from '../../validation/formats.ts';
import { each, type Rule } from '../../validation/rules.ts';

export interface LabelKeys {
  labelSelector?: LabelSelector;
  matchLabelKeys?: string[];
  mismatchLabelKeys?: string[];
}

/** Rules of the keys in a term or constraint whose own path is given. */
export const labelKeys: Rule<LabelKeys> = (value, path, errors) => {
  const { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] } = value;
  keys(matchLabelKeys, labelSelector, `${path}.matchLabelKeys`, errors);
  keys(mismatchLabelKeys, labelSelector, `${path}.mismatchLabelKeys`, errors);
  // The selector has got an expression for each key by now: one more says the same label twice.
  const seen = new Set(Object.keys(labelSelector?.matchLabels ?? {}));
  for (const { key = '' } of labelSelector?.matchExpressions ?? []) {
    const index = matchLabelKeys.lastIndexOf(key);
    if (index >= 0 && seen.has(key)) {
      errors.push(invalid(`${path}[${index}]`, key, 'exists in both matchLabelKeys and labelSelector'));
    }
    seen.add(key);
  }
  matchLabelKeys.forEach((key, index) => {
    if (!mismatchLabelKeys.includes(key)) return;
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys';
    errors.push(invalid(`${path}.matchLabelKeys[${index}]`, key, detail));
  });
};

function keys(list: readonly string[], selector: LabelSelector | undefined, path: string, errors: FieldError[]): void {
  if (list.length === 0) return;
  if (selector === undefined) errors.push(forbiddenField(path, 'must not be specified when labelSelector is not set'));
  else each(qualifiedName)(list, path, errors);
}
