/** Image references as docker and upstream read them. */

const DEFAULT_DOMAIN = 'docker.io';
const PART = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${PART}(?:/${PART})*$`);
const DOMAIN =
  /^(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/;

export interface ImageName {
  /** `docker.io` */
  domain: string;
  /** `library/busybox` */
  repository: string;
  tag: string;
  digest: string;
}

function split(image: string): ImageName {
  const at = image.indexOf('@');
  const digest = at < 0 ? '' : image.slice(at + 1);
  const named = at < 0 ? image : image.slice(0, at);
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasDomain = first === 'localhost' || /[.:]/.test(first) || first.toLowerCase() !== first;
  const domain = hasDomain ? first : DEFAULT_DOMAIN;
  let rest = hasDomain ? named.slice(slash + 1) : named;
  if (domain === DEFAULT_DOMAIN && !rest.includes('/')) rest = `library/${rest}`;
  const colon = rest.lastIndexOf(':');
  if (colon > rest.lastIndexOf('/')) {
    return { domain, repository: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
  }
  return { domain, repository: rest, tag: '', digest };
}

/** The parts of a reference, `latest` where neither tag nor digest is given. Throws as upstream words it (InvalidImageName). */
export function parseImageName(image: string): ImageName {
  const name = split(image);
  const fail = (why: string): Error =>
    new Error(`Failed to apply default image tag "${image}": couldn't parse image name "${image}": ${why}`);
  if (name.repository.toLowerCase() !== name.repository) {
    throw fail(`invalid reference format: repository name (${name.repository}) must be lowercase`);
  }
  const valid =
    REPOSITORY.test(name.repository) &&
    DOMAIN.test(name.domain) &&
    (name.tag === '' || TAG.test(name.tag)) &&
    (name.digest === '' || DIGEST.test(name.digest));
  if (!valid) throw fail('invalid reference format');
  return name.tag === '' && name.digest === '' ? { ...name, tag: 'latest' } : name;
}

/** Written out in full: `docker.io/library/busybox:1.35`. */
export function formatImageName({ domain, repository, tag, digest }: ImageName): string {
  return `${domain}/${repository}${tag === '' ? '' : `:${tag}`}${digest === '' ? '' : `@${digest}`}`;
}
