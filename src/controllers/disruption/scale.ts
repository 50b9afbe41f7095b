/** How many pods there ought to be, by those who make them. */
import type { Client } from '../../apimachinery/client.ts';
import { controllerOf, type KubeObject, type OwnerReference, parseApiVersion } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { resourceByKind } from '../../resources/index.ts';
import { storeOf } from '../../resources/resource.ts';

/** Why a budget cannot be worked out: something that its pods' owners lack, not a failure of ours. */
export class NoScaleError extends Error {}

interface Scale {
  uid: string;
  replicas: number;
}

interface Scalable extends KubeObject {
  spec?: { replicas?: number };
}

/** The replicas of all controllers of the pods together (`getExpectedScale`), and the pods that have none. Throws {@link NoScaleError}. */
export async function expectedScale(
  client: Client,
  pods: readonly Pod[],
): Promise<{ expected: number; unmanaged: string[] }> {
  const replicas = new Map<string, number>();
  const looked = new Set<string>();
  const unmanaged: string[] = [];
  for (const pod of pods) {
    const owner = controllerOf(pod);
    if (owner === undefined) {
      unmanaged.push(pod.metadata.name);
      continue;
    }
    if (looked.has(owner.uid)) continue;
    looked.add(owner.uid);
    const scale = await scaleOf(client, pod.metadata.namespace ?? '', owner);
    if (scale === undefined) throw new NoScaleError(`found no controllers for pod "${pod.metadata.name}"`);
    replicas.set(scale.uid, scale.replicas);
  }
  return { expected: [...replicas.values()].reduce((sum, count) => sum + count, 0), unmanaged };
}

/** The scale of a controller; of a Deployment's ReplicaSet that of the Deployment. */
async function scaleOf(client: Client, namespace: string, owner: OwnerReference): Promise<Scale | undefined> {
  const { group, version } = parseApiVersion(owner.apiVersion);
  const resource = resourceByKind(group, version, owner.kind);
  if (resource === undefined) {
    throw new NoScaleError(`no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`);
  }
  if (!resource.subresources?.some(({ name }) => name === 'scale')) {
    const name = group === '' ? resource.resource : `${resource.resource}.${group}`;
    throw new NoScaleError(`${name} does not implement the scale subresource`);
  }
  const found = await client.get<Scalable>(storeOf(resource), namespace, owner.name);
  if (found === undefined || found.metadata.uid !== owner.uid) return undefined;
  const above = owner.kind === 'ReplicaSet' ? controllerOf(found) : undefined;
  const scale = above?.kind === 'Deployment' ? await scaleOf(client, namespace, above) : undefined;
  return scale ?? { uid: owner.uid, replicas: found.spec?.replicas ?? 1 };
}
