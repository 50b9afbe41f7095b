/**
 * Formats of names and labels, after upstream's `util/validation`. Each returns the problems in upstream's words;
 * none means that the value is good. Lengths are in bytes of UTF-8, whichever word the message uses.
 */

/** A bad format, with examples (`RegexError`). */
function regexError(message: string, regex: string, ...examples: string[]): string {
  const given = examples.map((example) => `'${example}'`).join(',  or ');
  return `${message} (${given === '' ? '' : `e.g. ${given}, `}regex used for validation is '${regex}')`;
}

const LABEL_FORM = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_FORM = `${LABEL_FORM}(\\.${LABEL_FORM})*`;
const DNS1035_FORM = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_FORM = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const CIDENTIFIER_FORM = '[A-Za-z_][A-Za-z0-9_]*';
const CONFIG_KEY_FORM = '[-._a-zA-Z0-9]+';
const HEADER_FORM = '[-A-Za-z0-9]+';
const PERCENT_FORM = '[0-9]+%';

const LABEL_TEXT = regexError(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  LABEL_FORM,
  'my-name',
  '123-abc',
);
const SUBDOMAIN_TEXT = regexError(
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
  SUBDOMAIN_FORM,
  'example.com',
);
const DNS1035_TEXT = regexError(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  DNS1035_FORM,
  'my-name',
  'abc-123',
);
const WILDCARD_TEXT = regexError(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  `\\*\\.${SUBDOMAIN_FORM}`,
  '*.example.com',
);
const QUALIFIED_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const QUALIFIED_EXAMPLES = ['MyName', 'my.name', '123-abc'];
const LABEL_VALUE_TEXT = regexError(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  `(${QUALIFIED_FORM})?`,
  'MyValue',
  'my_value',
  '12345',
);

const whole = (form: string): RegExp => new RegExp(`^(?:${form})$`);
const LABEL = whole(LABEL_FORM);
// Simpler than the form that is quoted, and linear: the parts are checked one by one.
const isLabel = (text: string): boolean => LABEL.test(text);
const DNS1035 = whole(DNS1035_FORM);
const QUALIFIED = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Bytes of UTF-8. */
export function byteLength(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // The halves of a pair make four bytes together.
    if (code >= 0x800) bytes += code >= 0xd800 && code < 0xe000 ? 1 : 2;
    else if (code >= 0x80) bytes += 1;
  }
  return bytes;
}

/** `must be no more than 63 bytes`, when it is. */
const atMost = (text: string, max: number, unit: 'bytes' | 'characters'): string[] =>
  text.length * 3 > max && byteLength(text) > max ? [`must be no more than ${max} ${unit}`] : [];

const when = (bad: boolean, message: string): string[] => (bad ? [message] : []);

/** Whether every part between dots is a label. */
const isSubdomain = (text: string): boolean => text.split('.').every(isLabel);

/** `IsDNS1123Label`: `my-name`, at most 63. What would be a good subdomain is told that it has dots. */
export function isDns1123Label(text: string): string[] {
  const problems = atMost(text, 63, 'characters');
  if (!isLabel(text)) problems.push(isSubdomain(text) ? 'must not contain dots' : LABEL_TEXT);
  return problems;
}

/** `IsDNS1123Subdomain`: `example.com`, at most 253. */
export function isDns1123Subdomain(text: string): string[] {
  return [...atMost(text, 253, 'characters'), ...when(!isSubdomain(text), SUBDOMAIN_TEXT)];
}

/** `IsDNS1035Label`: as {@link isDns1123Label}, but starts with a letter. */
export function isDns1035Label(text: string): string[] {
  return [...atMost(text, 63, 'characters'), ...when(!DNS1035.test(text), DNS1035_TEXT)];
}

/** `IsWildcardDNS1123Subdomain`: `*.example.com`. */
export function isWildcardDns1123Subdomain(text: string): string[] {
  const good = text.startsWith('*.') && isSubdomain(text.slice(2));
  return [...atMost(text, 253, 'characters'), ...when(!good, WILDCARD_TEXT)];
}

/** `IsQualifiedName`: a label's key, `name` or `example.com/name`. */
export function isQualifiedName(text: string): string[] {
  const parts = text.split('/', 3);
  if (parts.length > 2) {
    const body = regexError(QUALIFIED_TEXT, QUALIFIED_FORM, ...QUALIFIED_EXAMPLES);
    return [`a valid label key ${body} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const name = parts.at(-1) as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === '') problems.push('prefix part must be non-empty');
    else {
      for (const problem of [...atMost(prefix, 253, 'bytes'), ...when(!isSubdomain(prefix), SUBDOMAIN_TEXT)]) {
        problems.push(`prefix part ${problem}`);
      }
    }
  }
  if (name === '') problems.push('name part must be non-empty');
  else for (const problem of atMost(name, 63, 'bytes')) problems.push(`name part ${problem}`);
  if (!QUALIFIED.test(name)) {
    problems.push(`name part ${regexError(QUALIFIED_TEXT, QUALIFIED_FORM, ...QUALIFIED_EXAMPLES)}`);
  }
  return problems;
}

/** `IsValidLabelValue`: empty, or at most 63 of letters, digits, `-`, `_`, `.`. */
export function isLabelValue(text: string): string[] {
  return [...atMost(text, 63, 'bytes'), ...when(text !== '' && !QUALIFIED.test(text), LABEL_VALUE_TEXT)];
}

/** `IsValidPortName`: at most 15, with a letter, no double hyphens. */
export function isPortName(text: string): string[] {
  const problems = atMost(text, 15, 'characters');
  if (!/^[-a-z0-9]+$/.test(text))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(text)) problems.push('must contain at least one letter (a-z)');
  if (text.includes('--')) problems.push('must not contain consecutive hyphens');
  if (text.startsWith('-') || text.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

/** `IsInRange`. */
export function isInRange(value: number, min: number, max: number): string[] {
  return when(value < min || value > max, `must be between ${min} and ${max}, inclusive`);
}

/** `IsValidPercent`: `50%`. */
export function isPercent(text: string): string[] {
  const message = "a valid percent string must be a numeric string followed by an ending '%'";
  return when(!/^[0-9]+%$/.test(text), regexError(message, PERCENT_FORM, '1%', '93%'));
}

/** `IsRelaxedEnvVarName`: printable ASCII but `=`. */
export function isEnvVarName(text: string): string[] {
  if (text === '') return ['environment variable name must be non-empty'];
  const message = "a valid environment variable name must consist only of printable ASCII characters other than '='";
  return when(!/^[ -<>-~]+$/.test(text), message);
}

/** `IsCIdentifier`. */
export function isCIdentifier(text: string): string[] {
  const message =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return when(
    !/^[A-Za-z_][A-Za-z0-9_]*$/.test(text),
    regexError(message, CIDENTIFIER_FORM, 'my_name', 'MY_NAME', 'MyName'),
  );
}

/** `IsConfigMapKey`: also of Secrets; neither `.` nor starting with `..`, so that it can be a file. */
export function isConfigMapKey(text: string): string[] {
  const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  const bad = !/^[-._a-zA-Z0-9]+$/.test(text);
  const problems = [
    ...atMost(text, 253, 'characters'),
    ...when(bad, regexError(message, CONFIG_KEY_FORM, 'key.name', 'KEY_NAME', 'key-name')),
  ];
  if (text === '.') problems.push("must not be '.'");
  else if (text === '..') problems.push("must not be '..'");
  else if (text.startsWith('..')) problems.push("must not start with '..'");
  return problems;
}

/** `IsHTTPHeaderName`. */
export function isHttpHeaderName(text: string): string[] {
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return when(!/^[-A-Za-z0-9]+$/.test(text), regexError(message, HEADER_FORM, 'X-Header-Name'));
}

/** A generated name's prefix may end in a dash; what is generated then ends it well (`maskTrailingDash`). */
export function maskTrailingDash(text: string): string {
  return text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text;
}
