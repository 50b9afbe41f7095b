/** What an extender leaves of the preemptions that the scheduler has in mind (`ProcessPreemption`). */
import type { Client } from '../apimachinery/client.ts';
import type { Pod } from '../generated/types/core.v1.ts';
import type { NodeInfo } from './framework/node-info.ts';
import type { Preemption } from './framework/plugin.ts';
import type { PodInfo } from './framework/pod-info.ts';
import { inSmallLetters } from './small-letters.ts';

interface Victims {
  pods: object[];
  numpdbviolations: number;
}

/**
 * Asks an extender, by the pods' uids alone where it knows them. It may take nodes out and name other victims. Throws when it does not
 * answer, or names what is not there.
 */
export async function askPreemption(
  ask: (args: object) => Promise<unknown>,
  byUid: boolean,
  pod: Pod,
  found: readonly Preemption[],
  client: Client,
): Promise<Preemption[]> {
  const victims: Record<string, object> = {};
  for (const { node, victims: infos, violations } of found) {
    const pods = (await readPods(client, infos)).map(([, read]) => read);
    const Pods = byUid ? pods.map(({ metadata }) => ({ UID: metadata.uid })) : pods;
    victims[node.name] = { Pods, NumPDBViolations: violations };
  }
  const [meta, whole] = byUid ? [victims, null] : [null, victims];
  const answer = await ask({ Pod: pod, NodeNameToVictims: whole, NodeNameToMetaVictims: meta });
  const { nodenametometavictims = {} } = inSmallLetters<{ nodenametometavictims: object }>(answer);
  const nodes = new Map(found.map((preemption) => [preemption.node.name, preemption]));
  const left: Preemption[] = [];
  for (const [name, named] of Object.entries(nodenametometavictims ?? {})) {
    const { pods, numpdbviolations } = inSmallLetters<Victims>(named);
    const node = nodes.get(name)?.node;
    if (node === undefined) throw new Error(`nodeinfo not found for node name ${JSON.stringify(name)}`);
    const uids = (Array.isArray(pods) ? pods : []).map((one) => String(inSmallLetters<{ uid: string }>(one).uid));
    const chosen = await victimsOn(client, node, new Set(uids));
    left.push({ node, victims: chosen, violations: Number(numpdbviolations) || 0 });
  }
  return left;
}

async function victimsOn(client: Client, node: NodeInfo, uids: ReadonlySet<string>): Promise<PodInfo[]> {
  const missing = new Set(uids);
  const there = await readPods(client, [...node.pods]);
  const chosen = there.filter(([, { metadata }]) => missing.delete(metadata.uid ?? ''));
  for (const uid of missing) {
    const claim = `extender claims to preempt pod (UID: ${uid}) on node: ${node.name}`;
    throw new Error(`${claim}, but the pod is not found on that node`);
  }
  return chosen.map(([info]) => info);
}

/** The pods that are still there. */
async function readPods(client: Client, infos: readonly PodInfo[]): Promise<[PodInfo, Pod][]> {
  const pods = await Promise.all(
    infos.map(async (info) => {
      const [namespace = '', name = ''] = info.key.split('/');
      return [info, await client.get<Pod>('core/pods', namespace, name)] as const;
    }),
  );
  return pods.filter((pair): pair is [PodInfo, Pod] => pair[1] !== undefined);
}
