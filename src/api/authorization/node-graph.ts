/** Which objects are a node's, found out when a node asks: its pods are kept for a second, anything else is looked at each time. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../generated/types/core.v1.ts';
import { podReferences, volumeSecretKeys } from '../../resources/core/pod-references.ts';
import type { Surroundings } from '../context.ts';
import { decodeText } from '../registry/encode.ts';
import { unwrap } from '../respond.ts';
import type { Related, Relation } from './node-authorizer.ts';

/** How long a pod that has gone may still open doors, in ms. */
const MAX_AGE = 1000;
const MAX_NODES = 500;

/** Keys of what a node's pods name, by relation. */
type Named = ReadonlyMap<Relation, ReadonlySet<string>>;

const kept = new Map<string, { named: Named; at: number }>();

/** Objects with a `spec.nodeName`. */
interface OnNode extends KubeObject {
  spec?: { nodeName?: string };
}

const ON_NODE: Readonly<Partial<Record<Relation, ResourceId>>> = {
  pods: 'core/pods',
  resourceslices: 'resource.k8s.io/resourceslices',
  volumeattachments: 'storage.k8s.io/volumeattachments',
};

/** The relations of a cluster's nodes. */
export function relations(around: Surroundings, cluster: string): Related {
  const read = async <T extends KubeObject>(id: ResourceId, key: string): Promise<T | undefined> => {
    const text = await around.store(cluster, id).get(key);
    return text === null ? undefined : decodeText<T>(text);
  };
  const namedBy = async (node: string, relation: Relation, key: string): Promise<boolean> => {
    const entry = kept.get(`${cluster} ${node}`);
    if (entry !== undefined && Date.now() - entry.at < MAX_AGE && entry.named.get(relation)?.has(key)) return true;
    // A pod that has just come to the node may name what the last one did not.
    return (await load(around, cluster, node)).get(relation)?.has(key) === true;
  };
  return async (node, relation, namespace, name) => {
    const store = ON_NODE[relation];
    if (store !== undefined) {
      const object = await read<OnNode>(store, relation === 'pods' ? `${namespace}/${name}` : name);
      return object?.spec?.nodeName === node;
    }
    if (relation === 'persistentvolumes') {
      const claim = (await read<PersistentVolume>('core/persistentvolumes', name))?.spec?.claimRef;
      return claim !== undefined && namedBy(node, 'persistentvolumeclaims', `${claim.namespace}/${claim.name}`);
    }
    const key = `${namespace}/${name}`;
    if (await namedBy(node, relation, key)) return true;
    return relation === 'secrets' && (await volumeSecrets(around, cluster, node)).includes(key);
  };
}

async function load(around: Surroundings, cluster: string, node: string): Promise<Named> {
  const at = Date.now();
  const fieldSelector = `spec.nodeName=${escaped(node)}`;
  const page = unwrap(await around.store(cluster, 'core/pods').list({ prefix: '', fieldSelector }));
  const named = new Map<Relation, Set<string>>();
  for (const pod of JSON.parse(`[${page.items}]`) as Pod[]) {
    // A node makes its mirror pods itself, and must not open doors to itself.
    if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) continue;
    const { secrets, configMaps, claims, resourceClaims, serviceAccounts } = podReferences(pod);
    const add = (relation: Relation, names: readonly string[]): void => {
      const keys = named.get(relation) ?? new Set();
      for (const name of names) keys.add(`${pod.metadata.namespace}/${name}`);
      named.set(relation, keys);
    };
    add('secrets', secrets);
    add('configmaps', configMaps);
    add('persistentvolumeclaims', claims);
    add('resourceclaims', resourceClaims);
    add('serviceaccounts', serviceAccounts);
  }
  if (kept.size >= MAX_NODES) kept.clear();
  kept.set(`${cluster} ${node}`, { named, at });
  return named;
}

/** Secrets that the volumes of the node's pods need. */
async function volumeSecrets(around: Surroundings, cluster: string, node: string): Promise<string[]> {
  const claims = [...(kept.get(`${cluster} ${node}`)?.named.get('persistentvolumeclaims') ?? [])];
  if (claims.length === 0) return [];
  const objects = await around.store(cluster, 'core/persistentvolumeclaims').getMany(claims);
  const names = objects.flatMap((text) => {
    const volume = text === null ? '' : decodeText<PersistentVolumeClaim>(text).spec?.volumeName;
    return volume ? [volume] : [];
  });
  if (names.length === 0) return [];
  const volumes = await around.store(cluster, 'core/persistentvolumes').getMany(names);
  return volumes.flatMap((text) => (text === null ? [] : volumeSecretsOf(decodeText<PersistentVolume>(text), claims)));
}

/** Only a volume that is bound to the claim itself counts: anybody may write a volume's name into a claim. */
function volumeSecretsOf(volume: PersistentVolume, claims: readonly string[]): string[] {
  const claim = volume.spec?.claimRef;
  return claims.includes(`${claim?.namespace}/${claim?.name}`) ? volumeSecretKeys(volume) : [];
}

const escaped = (value: string): string => value.replaceAll(/[\\,=]/g, '\\$&');
