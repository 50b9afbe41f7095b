/** What configMap, secret, downwardAPI and projected volumes hold. */
import type {
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  Volume,
  VolumeProjection,
} from '../../../src/generated/types/core.v1.ts';
import type { ConfigData, PodConfigSource } from '../config-source.ts';
import { type Allocatable, fieldValue, resourceValue } from '../field-ref.ts';
import { allContainers } from '../pod.ts';
import type { TokenSource } from '../tokens.ts';
import { isSafePath, type Payload } from './atomic-writer.ts';

export interface PayloadSources {
  config: PodConfigSource;
  tokens: TokenSource;
  node: { name: string; ip: string };
  allocatable: Allocatable;
}

const DEFAULT_MODE = 0o644;
const TOKEN_MODE = 0o600;

/** The files of a volume, or undefined for a volume that is none of these kinds. Throws with upstream's message. */
export async function volumePayload(pod: Pod, volume: Volume, sources: PayloadSources): Promise<Payload | undefined> {
  const namespace = pod.metadata.namespace ?? '';
  const payload: Payload = new Map();
  if (volume.configMap) {
    const { name = '', optional, items, defaultMode } = volume.configMap;
    const data = await sources.config.configMap(namespace, name, optional === true);
    addKeys(payload, data, items, defaultMode, optional === true, 'config');
  } else if (volume.secret) {
    const { secretName = '', optional, items, defaultMode } = volume.secret;
    const data = await sources.config.secret(namespace, secretName, optional === true);
    addKeys(payload, data, items, defaultMode, optional === true, 'secret');
  } else if (volume.downwardAPI) {
    addDownward(payload, pod, volume.downwardAPI.items ?? [], volume.downwardAPI.defaultMode, sources);
  } else if (volume.projected) {
    for (const source of volume.projected.sources ?? []) {
      await addSource(payload, pod, source, volume.projected.defaultMode, sources);
    }
  } else {
    return undefined;
  }
  return payload;
}

async function addSource(
  payload: Payload,
  pod: Pod,
  source: VolumeProjection,
  defaultMode: number | undefined,
  sources: PayloadSources,
): Promise<void> {
  const namespace = pod.metadata.namespace ?? '';
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) {
    const data = await sources.config.configMap(namespace, configMap.name ?? '', configMap.optional === true);
    addKeys(payload, data, configMap.items, defaultMode, configMap.optional === true, 'config');
  } else if (secret) {
    const data = await sources.config.secret(namespace, secret.name ?? '', secret.optional === true);
    addKeys(payload, data, secret.items, defaultMode, secret.optional === true, 'secret');
  } else if (downwardAPI) {
    addDownward(payload, pod, downwardAPI.items ?? [], defaultMode, sources);
  } else if (serviceAccountToken) {
    const token = await sources.tokens.get(pod, serviceAccountToken);
    const path = serviceAccountToken.path ?? 'token';
    payload.set(path, { data: Buffer.from(token), ...tokenAccess(pod, defaultMode ?? DEFAULT_MODE) });
  } else {
    // One without any kind gives nothing; the others' objects are of APIs that Kubernetes 1.36 does not serve unless asked to.
    const [kind] = Object.keys(source);
    if (kind !== undefined)
      throw new Error(`projected volumes with a ${kind} are not supported: its API is not served`);
  }
}

/** Who may read a token: its pod's user or group alone, where the pod says which; a group is given its access with the whole volume. */
export function tokenAccess(pod: Pod, defaultMode: number): { mode: number; uid?: number } {
  const users = allContainers(pod).map(
    ({ securityContext }) => securityContext?.runAsUser ?? pod.spec?.securityContext?.runAsUser,
  );
  const [uid] = users;
  const one = uid !== undefined && users.every((user) => user === uid);
  const confined = one || pod.spec?.securityContext?.fsGroup !== undefined;
  return { mode: confined ? TOKEN_MODE : defaultMode, ...(one ? { uid } : {}) };
}

function addKeys(
  payload: Payload,
  data: ConfigData | undefined,
  items: readonly KeyToPath[] | undefined,
  defaultMode: number | undefined,
  optional: boolean,
  kind: 'config' | 'secret',
): void {
  if (items === undefined || items.length === 0) {
    for (const [key, bytes] of data?.bytes ?? []) payload.set(key, { data: bytes, mode: defaultMode ?? DEFAULT_MODE });
    return;
  }
  for (const { key = '', path = '', mode } of items) {
    const bytes = data?.bytes.get(key);
    if (bytes === undefined) {
      if (optional) continue;
      throw new Error(`references non-existent ${kind} key: ${key}`);
    }
    if (!isSafePath(path)) throw new Error(`invalid path: ${path}`);
    payload.set(path, { data: bytes, mode: mode ?? defaultMode ?? DEFAULT_MODE });
  }
}

function addDownward(
  payload: Payload,
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  defaultMode: number | undefined,
  { node, allocatable }: PayloadSources,
): void {
  for (const { path = '', mode, fieldRef, resourceFieldRef } of items) {
    const value = resourceFieldRef
      ? resourceValue(pod, resourceFieldRef, undefined, allocatable)
      : fieldValue(pod, fieldRef?.fieldPath ?? '', node);
    payload.set(path, { data: Buffer.from(value), mode: mode ?? defaultMode ?? DEFAULT_MODE });
  }
}
