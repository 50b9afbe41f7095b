import { type FieldError, required } from '../../apimachinery/field.ts';
import type { ControllerRevision } from '../../generated/types/apps.v1.ts';
import { check, immutable, nonNegative } from '../validation/rules.ts';
import { apps } from './group.ts';

function dataErrors(data: unknown): FieldError[] {
  if (data === undefined || data === null) return [required('data', 'data is mandatory')];
  const isObject = typeof data === 'object' && !Array.isArray(data);
  return isObject ? [] : [required('data', 'data must be a valid JSON object')];
}

/** What a StatefulSet or DaemonSet was at some revision; only the number may change. */
export const controllerRevision = apps<ControllerRevision>({
  resource: 'controllerrevisions',
  kind: 'ControllerRevision',
  namespaced: true,
  strategy: {
    validate: ({ data, revision }) => [...dataErrors(data), ...check(nonNegative, revision, 'revision')],
    validateUpdate({ data, revision }, old) {
      const errors = check(nonNegative, revision, 'revision');
      immutable(data, old.data, 'data', errors);
      return errors;
    },
  },
});
