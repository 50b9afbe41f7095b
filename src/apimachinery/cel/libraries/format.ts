/** Kubernetes' `format` library: names that Kubernetes knows, and what is wrong with a text that should be one. */
import {
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isLabelValue,
  isQualifiedName,
  maskTrailingDash,
} from '../../names.ts';
import { hasFormat } from '../../structural/formats.ts';
import type { Comparable } from '../values.ts';
import { functions, type Library } from './library.ts';
import { none, some } from './optionals.ts';
import { uriProblems } from './url.ts';

/** A named format as a value of expressions. */
class CelFormat implements Comparable {
  readonly name: string;
  readonly problems: (text: string) => string[];

  constructor(name: string, problems: (text: string) => string[]) {
    this.name = name;
    this.problems = problems;
  }

  compareTo(other: CelFormat): number {
    return this.name === other.name ? 0 : this.name < other.name ? -1 : 1;
  }
}

class FormatNamespace {}

const byFormat =
  (format: string, problem: string) =>
  (text: string): string[] =>
    hasFormat(format, text) ? [] : [problem];

const FORMATS: Record<string, (text: string) => string[]> = {
  dns1123Label: isDns1123Label,
  dns1123Subdomain: isDns1123Subdomain,
  dns1035Label: isDns1035Label,
  dns1123LabelPrefix: (text) => isDns1123Label(maskTrailingDash(text)),
  dns1123SubdomainPrefix: (text) => isDns1123Subdomain(maskTrailingDash(text)),
  dns1035LabelPrefix: (text) => isDns1035Label(maskTrailingDash(text)),
  qualifiedName: isQualifiedName,
  labelValue: isLabelValue,
  uri: uriProblems,
  uuid: byFormat('uuid', 'does not match the UUID format'),
  byte: (text) => (text === '' ? ['invalid base64'] : byFormat('byte', 'invalid base64')(text)),
  date: byFormat('date', 'invalid date'),
  datetime: byFormat('date-time', 'invalid datetime'),
};

export const format: Library = (environment) => {
  environment.registerType('kubernetes.NamedFormat', { ctor: CelFormat, fields: {} });
  environment.registerType('FormatNamespace', FormatNamespace);
  environment.registerConstant('format', 'FormatNamespace', new FormatNamespace());
  functions({
    ...Object.fromEntries(
      Object.entries(FORMATS).map(([name, problems]) => [
        `FormatNamespace.${name}(): kubernetes.NamedFormat`,
        () => new CelFormat(name, problems),
      ]),
    ),
    'FormatNamespace.named(string): optional<kubernetes.NamedFormat>': (_: FormatNamespace, name: string) => {
      const problems = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
      return problems === undefined ? none() : some(new CelFormat(name, problems));
    },
    'kubernetes.NamedFormat.validate(string): optional<list<string>>': (named: CelFormat, text: string) => {
      const problems = named.problems(text);
      return problems.length === 0 ? none() : some(problems);
    },
  })(environment);
};
