/** How many pods there ought to be, by those who make them. */
import type { Client } from '../../apimachinery/client.ts';
import { qualified } from '../../apimachinery/errors.ts';
import { controllerOf, type KubeObject, type OwnerReference, parseApiVersion } from '../../apimachinery/meta.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import { resourceByKind } from '../../resources/index.ts';
import { storeOf } from '../../resources/resource.ts';
import { customKindsOf } from '../stores.ts';

/** Why a budget cannot be worked out: something that its pods' owners lack, not a failure of ours. */
export class NoScaleError extends Error {}

interface Scale {
  uid: string;
  replicas: number;
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
  const { store, replicas } = await scalableKind(client, owner);
  const found = await client.get(store, namespace, owner.name);
  if (found === undefined || found.metadata.uid !== owner.uid) return undefined;
  const above = owner.kind === 'ReplicaSet' ? controllerOf(found) : undefined;
  const scale = above?.kind === 'Deployment' ? await scaleOf(client, namespace, above) : undefined;
  return scale ?? { uid: owner.uid, replicas: numberAt(found, replicas) };
}

/** Where objects of the owner's kind are kept, and say how many pods they want. Throws {@link NoScaleError}. */
async function scalableKind(client: Client, owner: OwnerReference): Promise<{ store: string; replicas: Path }> {
  const { group, version } = parseApiVersion(owner.apiVersion);
  const builtIn = resourceByKind(group, version, owner.kind);
  const custom =
    builtIn === undefined
      ? (await customKindsOf(client)).find((one) => one.group === group && one.kind === owner.kind)
      : undefined;
  const found = builtIn ?? custom;
  if (found === undefined) {
    throw new NoScaleError(`no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`);
  }
  const scales = builtIn?.subresources?.some(({ name }) => name === 'scale') === true;
  const replicas = scales ? ['spec', 'replicas'] : custom?.replicas;
  if (replicas === undefined) throw new NoScaleError(`${qualified(found)} does not implement the scale subresource`);
  return { store: builtIn === undefined ? (custom?.store ?? '') : storeOf(builtIn), replicas };
}

type Path = readonly string[];

function numberAt(object: KubeObject, path: Path): number {
  let value: unknown = object;
  for (const name of path) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  return typeof value === 'number' ? value : 0;
}
