/** Registry credentials out of image pull secrets. */
import type { Pod } from '../../src/generated/types/core.v1.ts';
import type { AuthConfig } from '../runtime/cri-types.ts';
import type { ConfigData, PodConfigSource } from './config-source.ts';
import type { ImageName } from './image-name.ts';

interface Entry {
  username?: string;
  password?: string;
  auth?: string;
  identitytoken?: string;
}

/** The credentials that the pod's secrets hold for the image, most specific first. Missing or broken secrets are passed over. */
export async function pullCredentials(pod: Pod, image: ImageName, config: PodConfigSource): Promise<AuthConfig[]> {
  const found: { length: number; auth: AuthConfig }[] = [];
  for (const { name } of pod.spec?.imagePullSecrets ?? []) {
    const data = await config.secret(pod.metadata.namespace ?? '', name ?? '', true).catch(() => undefined);
    for (const [registry, entry] of entries(data)) {
      const address = registry.replace(/^https?:\/\//, '').replace(/\/(?:v[12]\/?)?$/, '');
      if (matches(address, image)) found.push({ length: address.length, auth: credentials(entry) });
    }
  }
  return found.sort((a, b) => b.length - a.length).map(({ auth }) => auth);
}

function entries(data: ConfigData | undefined): [string, Entry][] {
  const text = data?.text.get('.dockerconfigjson') ?? data?.text.get('.dockercfg');
  if (text === undefined) return [];
  try {
    const parsed = JSON.parse(text) as { auths?: Record<string, Entry> };
    const auths = data?.text.has('.dockerconfigjson') ? (parsed.auths ?? {}) : (parsed as Record<string, Entry>);
    return Object.entries(auths).filter(([, entry]) => typeof entry === 'object' && entry !== null);
  } catch {
    return [];
  }
}

/** `*` in the host stands for one of its parts; a path must be a prefix of the image's. */
function matches(address: string, image: ImageName): boolean {
  const slash = address.indexOf('/');
  const host = slash < 0 ? address : address.slice(0, slash);
  const path = slash < 0 ? '' : address.slice(slash + 1);
  const domains =
    image.domain === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [image.domain];
  const fits = (domain: string): boolean => {
    const [wanted, given] = [host.split('.'), domain.split('.')];
    return wanted.length === given.length && wanted.every((part, i) => part === '*' || part === given[i]);
  };
  return domains.some(fits) && (path === '' || image.repository === path || image.repository.startsWith(`${path}/`));
}

function credentials(entry: Entry): AuthConfig {
  const decoded = Buffer.from(entry.auth ?? '', 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  return {
    username: entry.username ?? (colon < 0 ? '' : decoded.slice(0, colon)),
    password: entry.password ?? (colon < 0 ? '' : decoded.slice(colon + 1)),
    ...(entry.identitytoken === undefined ? {} : { identityToken: entry.identitytoken }),
  };
}
