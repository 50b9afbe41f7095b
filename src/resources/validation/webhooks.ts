/** How to reach a webhook, as admission and conversion webhooks say it. */
import { type FieldError, invalid, required } from '../../apimachinery/field.ts';
import { isDns1123Subdomain, isInRange } from '../../apimachinery/names.ts';

const FORM = '; desired format: https://host[/path]';
const URL_FORM = /^(?:([a-zA-Z][a-zA-Z0-9+.-]*):)?(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;

/** Errors of a webhook's URL (`ValidateWebhookURL`): each shows the part that is wrong. */
export function webhookUrlErrors(url: string, path: string): FieldError[] {
  const problem = urlProblem(url);
  if (problem !== undefined) {
    return [required(path, `url must be a valid URL: parse ${JSON.stringify(url)}: ${problem}${FORM}`)];
  }
  const [, scheme = '', authority = '', query = '', fragment = ''] = URL_FORM.exec(url) ?? [];
  const at = authority.lastIndexOf('@');
  const host = authority.slice(at + 1);
  const errors: FieldError[] = [];
  if (scheme.toLowerCase() !== 'https') {
    errors.push(invalid(path, scheme.toLowerCase(), `'https' is the only allowed URL scheme${FORM}`));
  }
  if (host === '') errors.push(invalid(path, host, `host must be specified${FORM}`));
  if (at >= 0) errors.push(invalid(path, authority.slice(0, at), 'user information is not permitted in the URL'));
  if (fragment !== '') errors.push(invalid(path, fragment, 'fragments are not permitted in the URL'));
  if (query !== '') errors.push(invalid(path, query, 'query parameters are not permitted in the URL'));
  return errors;
}

/** Why Go's `url.Parse` cannot read a URL, as far as it is said before the parts are looked at. */
function urlProblem(url: string): string | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
  if (/[\x00-\x1f\x7f]/.test(url)) return 'net/url: invalid control character in URL';
  if (url.startsWith(':')) return 'missing protocol scheme';
  const bad = /%(?![\da-fA-F]{2}).{0,2}/s.exec(url.replace(/\?.*$/s, ''));
  const hasScheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.test(url);
  const first = url.split(/[/?#]/, 1)[0] ?? '';
  if (!hasScheme && first.includes(':')) return 'first path segment in URL cannot contain colon';
  return bad === null ? undefined : `invalid URL escape ${JSON.stringify(bad[0])}`;
}

/** A Service that a webhook is behind. */
export interface WebhookService {
  namespace?: string;
  name?: string;
  path?: string;
  port?: number;
}

/** What is cut of a character of several bytes is no letter to anyone. */
const firstByteLess = (text: string): string => (text > '\x7f' ? `\ufffd${text.slice(1)}` : text.slice(1));

function urlPathErrors(urlPath: string, path: string): FieldError[] {
  if (urlPath === '' || urlPath === '/') return [];
  const errors: FieldError[] = [];
  const add = (detail: string): void => void errors.push(invalid(path, urlPath, detail));
  if (!urlPath.startsWith('/')) add("must start with a '/'");
  // Upstream takes the first character for the slash, whatever it is.
  const segments = firstByteLess(urlPath).replace(/\/$/, '').split('/');
  segments.forEach((segment, index) => {
    if (segment === '') add(`segment[${index}] may not be empty`);
    else for (const problem of isDns1123Subdomain(segment)) add(`segment[${index}]: ${problem}`);
  });
  return errors;
}

/** Errors of the Service that a webhook is behind (`ValidateWebhookService`). */
export function webhookServiceErrors(service: WebhookService, path: string): FieldError[] {
  const { port = 0 } = service;
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${path}.name`));
  if (!service.namespace) errors.push(required(`${path}.namespace`));
  for (const problem of isInRange(port, 1, 65535)) {
    errors.push(invalid(`${path}.port`, port, `port is not valid: ${problem}`));
  }
  return [...errors, ...urlPathErrors(service.path ?? '', `${path}.path`)];
}
