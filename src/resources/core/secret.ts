import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import type { Secret } from '../../generated/types/core.v1.ts';
import { immutable } from '../validation/rules.ts';
import { core } from './group.ts';
import { decodedLength, immutabilityErrors, keyErrors, sizeErrors } from './key-values.ts';

const SERVICE_ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const REDACTED = '<secret contents redacted>';

/** Keys that a type of Secret must have; of the last kind one of them. */
const REQUIRED_KEYS: Record<string, string[]> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function isJsonObject(base64: string): boolean {
  try {
    const value: unknown = JSON.parse(atob(base64));
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}

function typeErrors(secret: Secret): FieldError[] {
  const data: Record<string, string> = secret.data ?? {};
  const type = secret.type ?? '';
  if (type === 'kubernetes.io/service-account-token') {
    if (secret.metadata.annotations?.[SERVICE_ACCOUNT_NAME]) return [];
    return [required(`metadata.annotations[${SERVICE_ACCOUNT_NAME}]`)];
  }
  if (type === 'kubernetes.io/basic-auth') {
    const keys = ['username', 'password'];
    return keys.some((key) => Object.hasOwn(data, key)) ? [] : keys.map((key) => required(`data[${key}]`));
  }
  const keys = Object.hasOwn(REQUIRED_KEYS, type) ? (REQUIRED_KEYS[type] as string[]) : [];
  return keys.flatMap((key) => {
    if (!Object.hasOwn(data, key)) return [required(`data[${key}]`)];
    if (!key.startsWith('.docker') || isJsonObject(data[key] as string)) return [];
    return [invalid(`data[${key}]`, REDACTED, 'unexpected end of JSON input')];
  });
}

function validate(secret: Secret): FieldError[] {
  const data: Record<string, string> = secret.data ?? {};
  let bytes = 0;
  for (const value of Object.values(data)) bytes += decodedLength(value);
  return [...keyErrors(data, 'data'), ...sizeErrors(bytes, 'data'), ...typeErrors(secret)];
}

function toBase64(text: string): string {
  let binary = '';
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Secrets. */
export const secret = core<Secret>({
  resource: 'secrets',
  kind: 'Secret',
  namespaced: true,
  strategy: {
    default(secret) {
      secret.type ||= 'Opaque';
      if (secret.stringData === undefined) return;
      // `stringData` is for writing only: it ends up in `data`.
      const encoded = Object.entries(secret.stringData).map(([key, value]) => [key, toBase64(value)]);
      if (encoded.length > 0) secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
      delete secret.stringData;
    },
    validate,
    validateUpdate(secret, old) {
      const errors: FieldError[] = [];
      immutable(secret.type, old.type, 'type', errors);
      return [...errors, ...immutabilityErrors(secret, old, 'data'), ...validate(secret)];
    },
  },
  selectableFields: ({ type }) => ({ type: type ?? '' }),
});
