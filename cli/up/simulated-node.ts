/** Nodes that only pretend: they register, renew their leases and pass pods through their phases, but nothing runs on them. */
import { arch, hostname, platform } from 'node:os';
import type { HttpClient } from '../../agent/client.ts';
import { Informers } from '../../agent/informer.ts';
import { createLog } from '../../agent/log.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import { microNow, now } from '../../src/apimachinery/meta.ts';
import type { Lease } from '../../src/generated/types/coordination.v1.ts';
import type { ContainerStatus, Node, Pod, PodCondition, PodStatus } from '../../src/generated/types/core.v1.ts';

const LEASE_SECONDS = 40;
const RENEW_MS = 10_000;
const RETRY_MS = 1000;
const ZONES = 3;
const ANNOTATION =
  'This node is simulated: pods on it pass through their phases, but no container runs. Logs, exec and networking do not work.';

export interface SimulatedNodes {
  names: string[];
  stop(): Promise<void>;
}

/** Registers the nodes and starts to play kubelet for them. Without a count: one, named after this machine. */
export async function startSimulatedNodes(client: HttpClient, count: number | undefined): Promise<SimulatedNodes> {
  const names =
    count === undefined ? [hostname().toLowerCase()] : Array.from({ length: count }, (_, i) => `sim-${i + 1}`);
  const log = createLog('simulated');
  await inParallel(names, 8, (name, i) => register(client, name, i));
  const mine = new Set(names);
  const informers = new Informers(client, log);
  const pods = informers.get<Pod>('core/pods');
  const retries = new Retries();
  pods.subscribe(({ type, object }) => {
    const { namespace = '', name } = object.metadata;
    const key = `${namespace}/${name}`;
    if (type === 'DELETED' || !mine.has(object.spec?.nodeName ?? '')) {
      retries.forget(key);
      return;
    }
    const attempt = async (): Promise<void> => {
      const current = pods.get(namespace, name);
      if (current === undefined) return;
      try {
        await play(client, current);
      } catch (error) {
        // Of what is gone or has changed the informer tells; anything else is tried again.
        if (isReason(error, 'NotFound') || isReason(error, 'Conflict')) return;
        log.debug('pod could not be played yet', { pod: name, error });
        retries.later(key, attempt);
      }
    };
    void attempt();
  });
  const renew = (): Promise<void> => inParallel(names, 8, (name) => renewLease(client, name));
  const timer = setInterval(() => void renew().catch(() => {}), RENEW_MS);
  return {
    names,
    async stop() {
      clearInterval(timer);
      retries.stop();
      await informers.stop();
    },
  };
}

/** What did not succeed, tried again in a while, by key: while the server is away, or has too much to do. */
class Retries {
  private readonly timers = new Map<string, NodeJS.Timeout>();

  later(key: string, run: () => Promise<void>): void {
    this.forget(key);
    const timer = setTimeout(() => {
      this.timers.delete(key);
      void run();
    }, RETRY_MS);
    this.timers.set(key, timer);
  }

  forget(key: string): void {
    clearTimeout(this.timers.get(key));
    this.timers.delete(key);
  }

  stop(): void {
    for (const key of [...this.timers.keys()]) this.forget(key);
  }
}

async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let i = next++; i < items.length; i = next++) await work(items[i] as T, i);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}

async function register(client: HttpClient, name: string, index: number): Promise<void> {
  const node = nodeObject(name, index);
  try {
    await client.create('core/nodes', node);
  } catch (error) {
    if (!isReason(error, 'AlreadyExists')) throw error;
  }
  await client.patch('core/nodes', '', name, 'strategic', { status: node.status } as never, 'status');
  await renewLease(client, name);
}

function nodeObject(name: string, index: number): Node {
  const resources = { cpu: '4', memory: '8Gi', pods: '110', 'ephemeral-storage': '100Gi' };
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: now(),
    lastTransitionTime: now(),
  });
  return {
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': arch() === 'x64' ? 'amd64' : arch(),
        zone: `z${(index % ZONES) + 1}`,
        type: 'simulated',
        'zeroplane.dev/simulated': 'true',
      },
      annotations: { 'zeroplane.dev/simulated': ANNOTATION },
    },
    spec: {},
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [
        condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
        condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
        condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
        condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status'),
      ],
      addresses: [
        { type: 'InternalIP', address: `10.0.${Math.floor(index / 250)}.${(index % 250) + 1}` },
        { type: 'Hostname', address: name },
      ],
      nodeInfo: {
        architecture: arch(),
        operatingSystem: platform(),
        kubeletVersion: 'v1.36.0-simulated',
        containerRuntimeVersion: 'simulated://1',
        osImage: 'simulated',
        kernelVersion: '0',
        machineID: '',
        systemUUID: '',
        bootID: '',
        kubeProxyVersion: '',
      },
    },
  };
}

async function renewLease(client: HttpClient, name: string): Promise<void> {
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: microNow() };
  try {
    await client.patch('coordination.k8s.io/leases', 'kube-node-lease', name, 'merge', { spec });
  } catch (error) {
    if (!isReason(error, 'NotFound')) throw error;
    const lease: Lease = { metadata: { name, namespace: 'kube-node-lease' }, spec };
    await client.create('coordination.k8s.io/leases', lease);
  }
}

let lastIp = 0;

/** What a kubelet would report of the pod next, if anything. */
async function play(client: HttpClient, pod: Pod): Promise<void> {
  const { name, namespace = '', uid, deletionTimestamp } = pod.metadata;
  if (deletionTimestamp !== undefined) {
    await client.delete('core/pods', namespace, name, { gracePeriodSeconds: 0, preconditions: { uid } });
    return;
  }
  if (pod.status?.phase !== 'Pending') return;
  const completes = pod.metadata.ownerReferences?.some((owner) => owner.kind === 'Job') ?? false;
  await client.patch(
    'core/pods',
    namespace,
    name,
    'strategic',
    { status: statusOf(pod, completes) } as never,
    'status',
  );
}

function statusOf(pod: Pod, completes: boolean): PodStatus {
  const at = now();
  const ip = `10.244.${Math.floor(++lastIp / 250) % 250}.${(lastIp % 250) + 1}`;
  const { generation } = pod.metadata;
  const condition = (type: string, holds: boolean): PodCondition => ({
    type,
    status: holds ? 'True' : 'False',
    lastTransitionTime: at,
    ...(holds ? {} : { reason: 'PodCompleted' }),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  });
  const container = ({ name = '', image = '' }): ContainerStatus => ({
    name,
    image,
    imageID: '',
    ready: !completes,
    started: !completes,
    restartCount: 0,
    state: completes
      ? { terminated: { exitCode: 0, reason: 'Completed', startedAt: at, finishedAt: at } }
      : { running: { startedAt: at } },
  });
  return {
    phase: completes ? 'Succeeded' : 'Running',
    startTime: at,
    podIP: ip,
    podIPs: [{ ip }],
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: [
      condition('PodReadyToStartContainers', !completes),
      condition('Initialized', true),
      condition('Ready', !completes),
      condition('ContainersReady', !completes),
    ],
    containerStatuses: (pod.spec?.containers ?? []).map(container),
  };
}
