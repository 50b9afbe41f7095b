/** Upstream's default plugins, in its order and with its weights. Adding one is a file and a line here. */
import type { PluginFactory } from '../framework/plugin.ts';
import { balancedAllocation } from './balanced-allocation.ts';
import { defaultBinder } from './default-binder.ts';
import { defaultPreemption } from './default-preemption.ts';
import { dynamicResources } from './dynamic-resources.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeResourcesFit } from './node-resources-fit.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { nodeVolumeLimits } from './node-volume-limits.ts';
import { podTopologySpread } from './pod-topology-spread.ts';
import { prioritySort } from './priority-sort.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';
import { volumeBinding } from './volume-binding.ts';
import { volumeRestrictions } from './volume-restrictions.ts';
import { volumeZone } from './volume-zone.ts';

export interface DefaultPlugin {
  readonly name: string;
  readonly factory: PluginFactory;
  /** Of its scores; default 1. */
  readonly weight?: number;
}

export const defaultPlugins: readonly DefaultPlugin[] = [
  { name: 'SchedulingGates', factory: schedulingGates },
  { name: 'PrioritySort', factory: prioritySort },
  { name: 'NodeUnschedulable', factory: nodeUnschedulable },
  { name: 'NodeName', factory: nodeName },
  { name: 'TaintToleration', factory: taintToleration, weight: 3 },
  { name: 'NodeAffinity', factory: nodeAffinity, weight: 2 },
  { name: 'NodePorts', factory: nodePorts },
  { name: 'NodeResourcesFit', factory: nodeResourcesFit },
  { name: 'VolumeRestrictions', factory: volumeRestrictions },
  { name: 'NodeVolumeLimits', factory: nodeVolumeLimits },
  { name: 'VolumeBinding', factory: volumeBinding },
  { name: 'VolumeZone', factory: volumeZone },
  { name: 'PodTopologySpread', factory: podTopologySpread, weight: 2 },
  { name: 'InterPodAffinity', factory: interPodAffinity, weight: 2 },
  { name: 'DynamicResources', factory: dynamicResources },
  { name: 'DefaultPreemption', factory: defaultPreemption },
  { name: 'NodeResourcesBalancedAllocation', factory: balancedAllocation },
  { name: 'ImageLocality', factory: imageLocality },
  { name: 'DefaultBinder', factory: defaultBinder },
];
