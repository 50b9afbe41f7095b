/** What a node answers at `stats/summary`: the parts of the kubelet's Summary API that metrics are made of. */

export interface CpuStats {
  /** RFC 3339. */
  time: string;
  /** Over which the use is averaged, a Go duration. The kubelet does not say it. */
  window: string;
  usageNanoCores: number;
  usageCoreNanoSeconds: number;
}

export interface MemoryStats {
  time: string;
  availableBytes?: number;
  usageBytes: number;
  /** What could not be freed at once. */
  workingSetBytes: number;
  rssBytes?: number;
}

export interface PodStats {
  podRef: { name: string; namespace: string; uid: string };
  containers: { name: string; cpu: CpuStats; memory: MemoryStats }[];
}

export interface Summary {
  node: { nodeName: string; cpu?: CpuStats; memory?: MemoryStats };
  pods: PodStats[];
}
