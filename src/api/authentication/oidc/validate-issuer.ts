/** Whether an issuer can be asked, and for whom it speaks (upstream's `validateIssuer`). */
import { duplicate, type FieldError, invalid, item, required } from '../../../apimachinery/field.ts';
import type { Issuer } from './configuration.ts';

const MATCH_ANY = 'MatchAny';
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

/** What is wrong with an issuer. */
export function validateIssuer(issuer: Issuer, path: string): FieldError[] {
  const { url = '', discoveryURL = '', certificateAuthority = '', egressSelectorType = '' } = issuer;
  const errors: FieldError[] = [];
  if (url === '') errors.push(required(`${path}.url`));
  else validateURL(url, `${path}.url`, errors);
  if (discoveryURL !== '') {
    const at = `${path}.discoveryURL`;
    if (url !== '' && withoutSlash(url) === withoutSlash(discoveryURL)) {
      errors.push(invalid(at, discoveryURL, 'discoveryURL must be different from URL'));
    }
    validateURL(discoveryURL, at, errors);
  }
  validateAudiences(issuer, path, errors);
  if (certificateAuthority !== '' && !CERTIFICATE.test(certificateAuthority)) {
    const why = 'data does not contain any valid RSA or ECDSA certificates';
    errors.push(invalid(`${path}.certificateAuthority`, '<omitted>', why));
  }
  if (!['', 'controlplane', 'cluster'].includes(egressSelectorType)) {
    const why = 'egress selector must be either controlplane or cluster';
    errors.push(invalid(`${path}.egressSelectorType`, egressSelectorType, why));
  }
  return errors;
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');

function validateURL(text: string, path: string, errors: FieldError[]): void {
  if (!URL.canParse(text)) {
    // What is no URL at all has no scheme either.
    errors.push(invalid(path, text, 'URL scheme must be https'));
    return;
  }
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'https:') errors.push(invalid(path, text, 'URL scheme must be https'));
  if (username !== '' || password !== '') {
    errors.push(invalid(path, text, 'URL must not contain a username or password'));
  }
  if (/\?[^#]/.test(text)) errors.push(invalid(path, text, 'URL must not contain a query'));
  if (/#./.test(text)) errors.push(invalid(path, text, 'URL must not contain a fragment'));
}

function validateAudiences(
  { audiences = [], audienceMatchPolicy: policy = '' }: Issuer,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.audiences`;
  if (audiences.length === 0) {
    errors.push(required(at, `at least one ${at} is required`));
    return;
  }
  const seen = new Set<string>();
  for (const [i, audience] of audiences.entries()) {
    if (audience === '') errors.push(required(item(at, i)));
    if (seen.has(audience)) errors.push(duplicate(item(at, i), audience));
    seen.add(audience);
  }
  if (policy === MATCH_ANY) return;
  const why =
    audiences.length > 1
      ? 'audienceMatchPolicy must be MatchAny for multiple audiences'
      : 'audienceMatchPolicy must be empty or MatchAny for single audience';
  if (audiences.length > 1 || policy !== '') errors.push(invalid(`${path}.audienceMatchPolicy`, policy, why));
}
