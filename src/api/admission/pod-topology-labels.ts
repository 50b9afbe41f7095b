/** PodTopologyLabels: a pod that comes with its node gets the labels of where that is, unless it has its own. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import { topologyLabels } from '../../apimachinery/topology.ts';
import type { Node, Pod } from '../../generated/types/core.v1.ts';
import type { Requester } from '../context.ts';
import { lookUp } from './lookup.ts';
import { type AdmissionPlugin, creates } from './plugin.ts';

export const podTopologyLabels: AdmissionPlugin = {
  name: 'PodTopologyLabels',
  handles: creates('pods'),
  admit({ context, object }) {
    const { nodeName } = (object as Pod).spec ?? {};
    if (nodeName) return addTopologyLabels(context, object, nodeName);
  },
};

/** Adds the labels of the node to a Pod or a Binding, in place. A node that is not there has none. */
export async function addTopologyLabels(context: Requester, { metadata }: KubeObject, node: string): Promise<void> {
  const found = await lookUp<Node>(context, 'core/nodes', node);
  const labels = topologyLabels(found?.metadata.labels);
  if (Object.keys(labels).length > 0) metadata.labels = { ...labels, ...metadata.labels };
}
