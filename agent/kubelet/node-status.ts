/** The Node object that the kubelet registers and keeps. */
import { hostname } from 'node:os';
import { now } from '../../src/apimachinery/meta.ts';
import type { ContainerImage, Node, NodeCondition, NodeStatus } from '../../src/generated/types/core.v1.ts';
import { type Capacity, goArch, machineInfo, type Pressure } from './machine.ts';

const KUBELET_VERSION = 'v1.36.0';
const KUBELET_PORT = 10_250;

export interface NodeFacts {
  name: string;
  ip: string;
  capacity: Capacity;
  pressure: Pressure;
  /** Why pods cannot run now; undefined when they can. */
  problem: string | undefined;
  images: ContainerImage[];
  runtimeVersion: string;
}

/** Labels that every node carries. */
export function nodeLabels(name: string): Record<string, string> {
  const architecture = goArch();
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
  };
}

const CONDITIONS = {
  MemoryPressure: {
    True: ['KubeletHasInsufficientMemory', 'kubelet has insufficient memory available'],
    False: ['KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  },
  DiskPressure: {
    True: ['KubeletHasDiskPressure', 'kubelet has disk pressure'],
    False: ['KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  },
  PIDPressure: {
    True: ['KubeletHasInsufficientPID', 'kubelet has insufficient PID available'],
    False: ['KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
  },
} as const;

/** The conditions; `lastTransitionTime` is kept where the status is as it was in `old`. */
function nodeConditions(facts: NodeFacts, old: readonly NodeCondition[] = []): NodeCondition[] {
  const at = now();
  const make = (type: string, status: 'True' | 'False', reason: string, message: string): NodeCondition => {
    const before = old.find((condition) => condition.type === type);
    const lastTransitionTime = before?.status === status && before.lastTransitionTime ? before.lastTransitionTime : at;
    return { type, status, lastHeartbeatTime: at, lastTransitionTime, reason, message };
  };
  const pressures: [keyof typeof CONDITIONS, boolean][] = [
    ['MemoryPressure', facts.pressure.memory],
    ['DiskPressure', facts.pressure.disk],
    ['PIDPressure', facts.pressure.pid],
  ];
  return [
    ...pressures.map(([type, is]) => {
      const status = is ? 'True' : 'False';
      const [reason, message] = CONDITIONS[type][status];
      return make(type, status, reason, message);
    }),
    facts.problem === undefined
      ? make('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
      : make('Ready', 'False', 'KubeletNotReady', facts.problem),
  ];
}

/** `status` of the Node. */
export function nodeStatus(facts: NodeFacts, old: NodeStatus | undefined): NodeStatus {
  const kibibytes = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;
  const capacity = {
    cpu: String(facts.capacity.cpu),
    'ephemeral-storage': kibibytes(facts.capacity['ephemeral-storage']),
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: kibibytes(facts.capacity.memory),
    pods: String(facts.capacity.pods),
  };
  return {
    capacity,
    allocatable: capacity,
    conditions: nodeConditions(facts, old?.conditions),
    addresses: [
      { type: 'InternalIP', address: facts.ip },
      { type: 'Hostname', address: facts.name || hostname() },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: KUBELET_PORT } },
    nodeInfo: {
      ...machineInfo(),
      containerRuntimeVersion: facts.runtimeVersion,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: goArch(),
    },
    images: facts.images,
  };
}

/** The Node as it is first registered. */
export function newNode(facts: NodeFacts, labels: Record<string, string>): Node {
  return {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      name: facts.name,
      labels: { ...nodeLabels(facts.name), ...labels },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: {},
    status: nodeStatus(facts, undefined),
  };
}
