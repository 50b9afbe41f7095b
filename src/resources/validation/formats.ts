/** Formats of strings as rules, and those that only resources need. Texts are upstream's. */

import { type FieldError, invalid, required as requiredError } from '../../apimachinery/field.ts';
import { isDns1123Label, isDns1123Subdomain, isLabelValue, isPortName, isQualifiedName } from './primitives.ts';
import { all, format, optional, type Rule, range } from './rules.ts';

export const dns1123Label = format(isDns1123Label);
export const dns1123Subdomain = format(isDns1123Subdomain);
export const qualifiedName = format(isQualifiedName);
export const labelValue = format(isLabelValue);

export const port = range(1, 65535);

/** A port's number or the name of one. */
export const portOrName: Rule<number | string | undefined> = (value, path, errors) => {
  if (typeof value === 'string') {
    for (const problem of isPortName(value)) errors.push(invalid(path, value, problem));
  } else {
    port(value, path, errors);
  }
};

/** Labels in a spec (`ValidateLabels`): the errors point at the whole map. */
export const labels: Rule<Record<string, string> | undefined> = (map, path, errors) => {
  for (const key in map) {
    for (const problem of isQualifiedName(key)) errors.push(invalid(path, key, problem));
    for (const problem of isLabelValue(map[key] ?? '')) errors.push(invalid(path, map[key], problem));
  }
};

const IPV4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|$)){4}$/;

/** Whether a text is an IPv4 address: four decimal numbers without leading zeros. */
export function isIPv4(text: string): boolean {
  return IPV4.test(text) && !text.endsWith('.');
}

/** Whether a text is an IPv6 address, with at most one `::` and perhaps an IPv4 tail; zones are not allowed. */
export function isIPv6(text: string): boolean {
  if (text.length > 45 || !text.includes(':')) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let count = groups.length;
  const last = groups.at(-1);
  if (last?.includes('.')) {
    if (!isIPv4(last) || text.endsWith('::')) return false;
    groups.pop();
    count += 1;
  }
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return false;
  return halves.length === 2 ? count < 8 : count === 8;
}

/** 4, 6, or 0 for what is no address. */
export function ipFamily(text: string): 0 | 4 | 6 {
  return isIPv4(text) ? 4 : isIPv6(text) ? 6 : 0;
}

/** An IP address (`IsValidIP`). */
export const ip = format((value) =>
  ipFamily(value) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [],
);

/** Whether a text is an address with a prefix length. */
export function isCidr(text: string): boolean {
  const slash = text.indexOf('/');
  const family = slash < 0 ? 0 : ipFamily(text.slice(0, slash));
  const length = text.slice(slash + 1);
  return family !== 0 && /^(0|[1-9]\d{0,2})$/.test(length) && Number(length) <= (family === 4 ? 32 : 128);
}

/** A network (`IsValidCIDR`). */
export const cidr = format((value) =>
  isCidr(value) ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'],
);

/** An address that traffic can be sent to (`ValidateNonSpecialIP`). */
export const nonSpecialIP: Rule<string> = (value, path, errors) => {
  const family = ipFamily(value);
  if (family === 0) errors.push(invalid(path, value, 'must be a valid IP address'));
  const add = (text: string): void => void errors.push(invalid(path, value, text));
  if (value === '0.0.0.0' || /^[0:]+$/.test(value)) add(`may not be unspecified (${value})`);
  if (value.startsWith('127.') || /^[0:]*:0*1$/.test(value)) {
    add('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  }
  if (value.startsWith('169.254.') || /^fe[89ab]/i.test(value)) {
    add('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (value.startsWith('224.0.0.') || /^ff02:/i.test(value)) {
    add('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
};

const CONFIG_KEY = /^[-._a-zA-Z0-9]+$/;
const CONFIG_KEY_TEXT =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";

/** Problems of a key of a ConfigMap or Secret (`IsConfigMapKey`). */
export function isConfigMapKey(key: string): string[] {
  const problems: string[] = [];
  if (key.length > 253) problems.push('must be no more than 253 characters');
  if (!CONFIG_KEY.test(key)) problems.push(CONFIG_KEY_TEXT);
  if (key === '.') problems.push("must not be '.'");
  if (key === '..') problems.push("must not be '..'");
  else if (key.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** A key of a ConfigMap or Secret. */
export const configMapKey = format(isConfigMapKey);

/** Problems of an environment variable's name where any printable ASCII but `=` is allowed (`IsRelaxedEnvVarName`). */
export const envVarName = format((name) =>
  /^[ -<>-~]+$/.test(name)
    ? []
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '=' (e.g. 'my.env-name', or 'MY_ENV.NAME', or 'MyEnvName1', regex used for validation is '^[ -<>-~]+$')",
      ],
);

/** An HTTP header's name. */
export const httpHeaderName = format((name) =>
  /^[-A-Za-z0-9]+$/.test(name)
    ? []
    : [
        "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
      ],
);

const hasBacksteps = (path: string): boolean => path.split('/').includes('..');

/** A path that does not climb (`validatePathNoBacksteps`). */
export const noBacksteps: Rule<string> = (value, path, errors) => {
  if (hasBacksteps(value)) errors.push(invalid(path, value, "must not contain '..'"));
};

/** A path below a directory: relative, without climbing. */
export const localDescendingPath: Rule<string> = (value, path, errors) => {
  if (value.startsWith('/')) errors.push(invalid(path, value, 'must be a relative path'));
  noBacksteps(value, path, errors);
};

/** The same, where hidden names that start with `..` are taken too (`validateLocalNonReservedPath`). */
export const localNonReservedPath: Rule<string> = (value, path, errors) => {
  localDescendingPath(value, path, errors);
  if (value.startsWith('..') && !value.startsWith('../')) {
    errors.push(invalid(path, value, "must not start with '..'"));
  }
};

/** Name of an object that is referred to: there must be one, of any form. */
export const referenceName: Rule<string | undefined> = (value, path, errors: FieldError[]) => {
  if (!value) errors.push(requiredError(path));
};

/** A name that is optional but must be a subdomain. */
export const optionalSubdomain = optional<string>(dns1123Subdomain);

/** A topology key: a label's key that must be there; an empty one is also an invalid name. */
export const topologyKey: Rule<string | undefined> = all<string | undefined>((value, path, errors) => {
  if (!value) errors.push(requiredError(path, 'can not be empty'));
}, qualifiedName);

const URL_PATH = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/;
const URL_PATH_TEXT = "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')";

/** A domain and a path, such as `acme.io/foo` (`IsDomainPrefixedPath`): the error shows the part that is wrong. */
export const domainPrefixedPath: Rule<string | undefined> = (value = '', path, errors) => {
  const slash = value.indexOf('/');
  const [domain, rest] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value === '') errors.push(requiredError(path));
  else if (slash < 1 || rest === '') {
    errors.push(invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
  } else {
    dns1123Subdomain(domain, path, errors);
    if (!URL_PATH.test(rest)) errors.push(invalid(path, rest, URL_PATH_TEXT));
  }
};
