/** Formats of strings as rules, and those that only resources need. Texts are upstream's. */

import { invalid, required as requiredError } from '../../apimachinery/field.ts';
import {
  isConfigMapKey,
  isDns1123Label,
  isDns1123Subdomain,
  isEnvVarName,
  isHttpHeaderName,
  isLabelValue,
  isPortName,
  isQualifiedName,
} from '../../apimachinery/names.ts';
import {
  containsNetwork,
  isCidr,
  isIp,
  isMapped,
  type Network,
  parseAddress,
  parseNetwork,
  withoutPadding,
} from '../../apimachinery/networks.ts';
import { all, format, optional, type Rule, range } from './rules.ts';

/** A DNS label: `my-name`. */
export const dns1123Label = format(isDns1123Label);
/** A DNS subdomain: `example.com`. */
export const dns1123Subdomain = format(isDns1123Subdomain);
/** A label's key: `name` or `example.com/name`. */
export const qualifiedName = format(isQualifiedName);
/** A label's value. */
export const labelValue = format(isLabelValue);

/** A port's number. */
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

/** An IP address (`IsValidIP`). */
export const ip = format(isIp);

/** A network (`IsValidCIDR`). */
export const cidr = format(isCidr);

/** Networks that nobody sends traffic to, with upstream's words, by family. */
const SPECIAL = [
  { text: 'may not be in the loopback range (127.0.0.0/8, ::1/128)', networks: ['127.0.0.0/8', '::1/128'] },
  { text: 'may not be in the link-local range (169.254.0.0/16, fe80::/10)', networks: ['169.254.0.0/16', 'fe80::/10'] },
  {
    text: 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    networks: ['224.0.0.0/24', 'ff02::/16'],
  },
].map(({ text, networks }) => ({ text, networks: networks.map((network) => parseNetwork(network) as Network) }));

/** An address that traffic can be sent to (`ValidateNonSpecialIP`). */
export const nonSpecialIP: Rule<string> = (value, path, errors) => {
  const address = parseAddress(withoutPadding(value));
  if (address === undefined) {
    errors.push(invalid(path, value, 'must be a valid IP address'));
    return;
  }
  const real: Network = isMapped(address) ? { family: 4, address: address.address & 0xffffffffn, length: 32 } : address;
  if (real.address === 0n) errors.push(invalid(path, value, `may not be unspecified (${value})`));
  for (const { text, networks } of SPECIAL) {
    if (networks.some((network) => containsNetwork(network, real))) errors.push(invalid(path, value, text));
  }
};

/** A key of a ConfigMap or Secret (`IsConfigMapKey`). */
export const configMapKey = format(isConfigMapKey);

/** An environment variable's name where any printable ASCII but `=` is allowed (`IsRelaxedEnvVarName`). */
export const envVarName = format(isEnvVarName);

/** An HTTP header's name (`IsHTTPHeaderName`). */
export const httpHeaderName = format(isHttpHeaderName);

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
