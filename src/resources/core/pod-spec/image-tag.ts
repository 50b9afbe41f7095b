/** Image references as upstream reads them when it sets the default of `imagePullPolicy` (`parsers.ParseImageName`). */

const COMPONENT = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/;
const HOST_PART = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;
/** Hexadecimal digits of the digests that upstream knows. */
const DIGEST_LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };
const IDENTIFIER = /^[a-f0-9]{64}$/;
const MAX_PATH = 255;

/** The tag of a reference: `latest` where neither tag nor digest is given; undefined where the reference is none. */
export function imageTag(image: string): string | undefined {
  if (image.length > 4096 || IDENTIFIER.test(image)) return undefined;
  const at = image.indexOf('@');
  const digest = at < 0 ? undefined : image.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) return undefined;
  const { domain, rest } = splitDomain(at < 0 ? image : image.slice(0, at));
  const colon = rest.indexOf(':', rest.lastIndexOf('/') + 1);
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? undefined : rest.slice(colon + 1);
  if (!isDomain(domain) || path.length > MAX_PATH || !path.split('/').every((part) => COMPONENT.test(part))) {
    return undefined;
  }
  if (tag !== undefined) return TAG.test(tag) ? tag : undefined;
  return digest === undefined ? 'latest' : '';
}

function splitDomain(name: string): { domain: string; rest: string } {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first;
  const domain = isHost && first !== 'index.docker.io' ? first : 'docker.io';
  const rest = isHost ? name.slice(slash + 1) : name;
  return { domain, rest: domain === 'docker.io' && !rest.includes('/') ? `library/${rest}` : rest };
}

function isDomain(domain: string): boolean {
  const [, host = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(domain) ?? [];
  if (port !== undefined && !/^[0-9]+$/.test(port)) return false;
  return /^\[[a-fA-F0-9:]+\]$/.test(host) || host.split('.').every((part) => HOST_PART.test(part));
}

function isDigest(digest: string): boolean {
  const [algorithm = '', hex = ''] = digest.split(':');
  return DIGEST.test(digest) && DIGEST_LENGTHS[algorithm] === hex.length && hex.toLowerCase() === hex;
}
