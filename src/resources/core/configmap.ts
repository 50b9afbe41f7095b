import { type FieldError, invalid } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { ConfigMap } from '../../generated/types/core.v1.ts';
import { core } from './group.ts';
import { decodedLength, immutabilityErrors, keyErrors, sizeErrors } from './key-values.ts';

type Values = Record<string, string>;

function validate(object: ConfigMap): FieldError[] {
  const data: Values = object.data ?? {};
  const binary: Values = object.binaryData ?? {};
  const errors = keyErrors(data, 'data');
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(binary, key)) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  }
  errors.push(...keyErrors(binary, 'binaryData'));
  let bytes = 0;
  for (const value of Object.values(data)) bytes += byteLength(value);
  for (const value of Object.values(binary)) bytes += decodedLength(value);
  return [...errors, ...sizeErrors(bytes, '')];
}

/** ConfigMaps. */
export const configMap = core<ConfigMap>({
  resource: 'configmaps',
  kind: 'ConfigMap',
  namespaced: true,
  shortNames: ['cm'],
  strategy: {
    validate,
    validateUpdate: (object, old) => [...immutabilityErrors(object, old, 'data', 'binaryData'), ...validate(object)],
  },
});
