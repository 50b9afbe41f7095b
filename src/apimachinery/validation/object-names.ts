/** Names of objects that are more or less than DNS subdomains. */
import { isDns1123Label, isDns1123Subdomain, maskTrailingDash } from '../names.ts';

/** Problems of a name that must be a DNS label (`NameIsDNSLabel`). */
export function labelName(name: string, prefix: boolean): string[] {
  return isDns1123Label(prefix ? maskTrailingDash(name) : name);
}

/** Problems of a name that must be a DNS subdomain (`NameIsDNSSubdomain`), as most must. */
export function subdomainName(name: string, prefix: boolean): string[] {
  return isDns1123Subdomain(prefix ? maskTrailingDash(name) : name);
}

/** Problems of a name that only has to fit in a path (`path.ValidatePathSegmentName`). */
export function pathSegmentName(name: string, prefix: boolean): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}
