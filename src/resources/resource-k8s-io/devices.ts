/** Names, selectors and configuration of devices, as claims, classes and slices hold them. */
import { selectorProblem } from '../../apimachinery/cel/devices.ts';
import { type FieldError, invalid, notSupported, required, tooLong, tooMany } from '../../apimachinery/field.ts';
import { byteLength, isCIdentifier, isDns1123Subdomain } from '../../apimachinery/names.ts';
import type {
  DeviceConfiguration,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from '../../generated/types/resource.v1.ts';
import { labelValue, qualifiedName } from '../validation/formats.ts';
import type { Rule } from '../validation/rules.ts';

const LONGEST_DRIVER = 63;
const LONGEST_POOL_NAME = 253;
const LONGEST_DOMAIN = 63;
const LONGEST_IDENTIFIER = 32;
const LONGEST_EXPRESSION = 10 * 1024;
const LONGEST_PARAMETERS = 10 * 1024;
const MOST_SELECTORS = 32;

/** The name of a driver: a subdomain in any case. */
export const driverName: Rule<string | undefined> = (name = '', path, errors) => {
  if (name === '') errors.push(required(path));
  if (byteLength(name) > LONGEST_DRIVER) errors.push(tooLong(path, LONGEST_DRIVER));
  if (name === '') return;
  for (const problem of isDns1123Subdomain(name.toLowerCase())) errors.push(invalid(path, name, problem));
};

/** The name of a pool: subdomains with slashes between them. */
export const poolName: Rule<string | undefined> = (name = '', path, errors) => {
  if (name === '') {
    errors.push(required(path));
    return;
  }
  if (byteLength(name) > LONGEST_POOL_NAME) errors.push(tooLong(path, LONGEST_POOL_NAME));
  for (const part of name.split('/')) {
    for (const problem of isDns1123Subdomain(part)) errors.push(invalid(path, part, problem));
  }
};

function identifierErrors(name: string, path: string, errors: FieldError[]): void {
  if (byteLength(name) > LONGEST_IDENTIFIER) errors.push(tooLong(path, LONGEST_IDENTIFIER));
  for (const problem of isCIdentifier(name)) errors.push(invalid(path, name, problem));
}

/** The name of an attribute or a capacity: `domain/identifier`, or an identifier in the driver's domain. */
export const attributeName: Rule<string> = (name, path, errors) => {
  const parts = name.split('/');
  // Upstream looks at no name of more than two parts.
  if (parts.length > 2) return;
  if (parts.length === 1) {
    identifierErrors(name, path, errors);
    return;
  }
  const [domain, identifier] = parts as [string, string];
  if (domain === '') errors.push(required(path, 'the domain must not be empty'));
  else {
    if (byteLength(domain) > LONGEST_DOMAIN) errors.push(tooLong(path, LONGEST_DOMAIN));
    for (const problem of isDns1123Subdomain(domain)) errors.push(invalid(path, domain, problem));
  }
  if (identifier === '') errors.push(required(path, 'the name must not be empty'));
  else identifierErrors(identifier, path, errors);
};

/** The same, where the domain has to be said. */
export const fullAttributeName: Rule<string> = (name, path, errors) => {
  attributeName(name, path, errors);
  if (!name.includes('/')) {
    errors.push(invalid(path, name, 'a fully qualified name must be a domain and a name separated by a slash'));
  }
};

/** Errors of selectors. */
export function selectorErrors(selectors: readonly DeviceSelector[] = [], path: string, errors: FieldError[]): void {
  if (selectors.length > MOST_SELECTORS) errors.push(tooMany(path, selectors.length, MOST_SELECTORS));
  selectors.forEach(({ cel }, index) => {
    const at = `${path}[${index}].cel`;
    if (cel === undefined) errors.push(required(at));
    else if (byteLength(cel.expression ?? '') > LONGEST_EXPRESSION) {
      errors.push(tooLong(`${at}.expression`, LONGEST_EXPRESSION));
    } else {
      const problem = selectorProblem(cel.expression ?? '');
      if (problem !== undefined) errors.push(invalid(`${at}.expression`, cel.expression ?? '', problem));
    }
  });
}

function opaqueErrors({ driver, parameters }: OpaqueDeviceConfiguration, path: string, errors: FieldError[]): void {
  const at = `${path}.parameters`;
  driverName(driver, `${path}.driver`, errors);
  if (parameters === undefined || parameters === null) errors.push(required(at));
  else if (byteLength(JSON.stringify(parameters)) > LONGEST_PARAMETERS) errors.push(tooLong(at, LONGEST_PARAMETERS));
  else if (typeof parameters !== 'object' || Array.isArray(parameters)) {
    errors.push(invalid(at, '<value omitted>', 'must be a valid JSON object'));
  }
}

/** Configuration for a driver: the one kind there is. */
export const deviceConfiguration: Rule<DeviceConfiguration> = ({ opaque }, path, errors) => {
  if (opaque === undefined) errors.push(required(`${path}.opaque`));
  else opaqueErrors(opaque, `${path}.opaque`, errors);
};

const OPERATORS = ['Equal', 'Exists'];
const EFFECTS = ['NoExecute', 'NoSchedule', 'None'];

/** A toleration of a device's taint. */
export const deviceToleration: Rule<DeviceToleration> = (toleration, path, errors) => {
  const { key = '', operator = '', value = '', effect = '' } = toleration;
  if (key !== '') qualifiedName(key, `${path}.key`, errors);
  if (operator === '') errors.push(required(`${path}.operator`));
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
  else if (operator === 'Equal') labelValue(value, `${path}.value`, errors);
  else if (value !== '') errors.push(invalid(`${path}.value`, value, 'must be empty for operator `Exists`'));
  if (effect !== '' && !EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
};

/** A device's taint. */
export const deviceTaint: Rule<DeviceTaint> = ({ key = '', value = '', effect = '' }, path, errors) => {
  qualifiedName(key, `${path}.key`, errors);
  if (value !== '') labelValue(value, `${path}.value`, errors);
  if (effect === '') errors.push(required(`${path}.effect`));
  else if (!EFFECTS.includes(effect)) errors.push(notSupported(`${path}.effect`, effect, EFFECTS));
};
