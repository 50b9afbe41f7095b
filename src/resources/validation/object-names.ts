/** Names of objects that are more or less than DNS subdomains. */
import { isDns1123Label, isDns1123Subdomain } from './primitives.ts';

/** A generated name's prefix may end in a dash; the suffix then ends it well. */
const completed = (name: string, prefix: boolean): string =>
  prefix && name.endsWith('-') ? `${name.slice(0, -1)}a` : name;

/** Problems of a name that must be a DNS label (`NameIsDNSLabel`). */
export function labelName(name: string, prefix: boolean): string[] {
  return isDns1123Label(completed(name, prefix));
}

/** Problems of a name that must be a DNS subdomain (`NameIsDNSSubdomain`), as most must. */
export function subdomainName(name: string, prefix: boolean): string[] {
  return isDns1123Subdomain(completed(name, prefix));
}

/** Problems of a name that only has to fit in a path (`path.ValidatePathSegmentName`). */
export function pathSegmentName(name: string, prefix: boolean): string[] {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`];
  return ['/', '%']
    .filter((character) => name.includes(character))
    .map((character) => `may not contain '${character}'`);
}
