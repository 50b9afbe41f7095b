/** What the scheduler keeps of a pod that has a node: a few references to what it shares with its like, never the pod itself. */
import { hostPorts } from '../../apimachinery/host-ports.ts';
import type { Pod, Volume } from '../../generated/types/core.v1.ts';
import { type AffinityTerms, affinityTerms, NO_TERMS } from './affinity-terms.ts';
import { Memo } from './memo.ts';
import { containerStatuses, nonZeroRequests, podRequests, type Resources } from './resources.ts';

/** What decides whether selectors and affinity terms mean a pod, and what it wants to be near. Equal ones are the same object. */
export interface PodTraits {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** It has a deletionTimestamp. */
  readonly terminating: boolean;
  readonly terms: AffinityTerms;
}

/** What a pod takes of a node. Equal ones are the same object. */
export interface PodAsk {
  readonly requests: Readonly<Resources>;
  /** {@link requests} without zeros, for loops. */
  readonly list: readonly (readonly [name: string, amount: number])[];
  /** With upstream's defaults for containers that ask for nothing; scoring uses it. */
  readonly nonZero: { readonly cpu: number; readonly memory: number };
  /** `protocol/hostIP/port`. */
  readonly ports: readonly string[];
  readonly priority: number;
  /** Volumes that other pods of a node can be in the way of: disks of clouds, and CSI drivers named in the pod. */
  readonly disks: readonly Volume[];
}

export interface PodInfo {
  /** `namespace/name`. */
  readonly key: string;
  /** Name of its node; empty for a pod without one. */
  readonly node: string;
  readonly traits: PodTraits;
  readonly ask: PodAsk;
  /** `namespace/name` of the PersistentVolumeClaims that it uses, those of ephemeral volumes included. */
  readonly claims: readonly string[];
  /** It is being deleted to make room for another. */
  readonly preempted: boolean;
  /** When it was started, in ms since the epoch; 0 when unknown. */
  readonly startTime: number;
}

/** A pod in its scheduling cycle. */
export interface Candidate {
  readonly pod: Pod;
  readonly info: PodInfo;
}

const NONE: readonly never[] = [];
const traits = new Memo<PodTraits>();
const asks = new Memo<PodAsk>();

/** What is kept of a pod. */
export function podInfo(pod: Pod): PodInfo {
  const { metadata, spec, status } = pod;
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    node: spec?.nodeName ?? '',
    traits: traitsOf(pod),
    ask: askOf(pod),
    claims: claimsOf(pod),
    preempted: metadata.deletionTimestamp !== undefined && isPreempted(pod),
    startTime: status?.startTime === undefined ? 0 : Date.parse(status.startTime),
  };
}

/** A pod and what is kept of it. */
export function candidateOf(pod: Pod): Candidate {
  return { pod, info: podInfo(pod) };
}

/** Whether a pod no longer holds what it asked for. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

const isPreempted = ({ status }: Pod): boolean =>
  (status?.conditions ?? []).some(
    (c) => c.type === 'DisruptionTarget' && c.status === 'True' && c.reason === 'PreemptionByScheduler',
  );

function traitsOf({ metadata, spec }: Pod): PodTraits {
  const { podAffinity, podAntiAffinity } = spec?.affinity ?? {};
  const terminating = metadata.deletionTimestamp !== undefined;
  const namespace = metadata.namespace ?? '';
  const text = JSON.stringify([namespace, terminating, metadata.labels, podAffinity, podAntiAffinity]);
  return traits.get(text, () => ({
    namespace,
    labels: metadata.labels ?? {},
    terminating,
    terms: podAffinity || podAntiAffinity ? affinityTerms(spec?.affinity, namespace) : NO_TERMS,
  }));
}

function askOf(pod: Pod): PodAsk {
  const { spec } = pod;
  const statuses = containerStatuses(pod);
  const disks = (spec?.volumes ?? []).filter(isDisk);
  const text = JSON.stringify([
    spec?.containers?.map((c) => [c.resources?.requests, c.ports, statuses && c.name]),
    spec?.initContainers?.map((c) => [c.resources?.requests, c.ports, c.restartPolicy, statuses && c.name]),
    spec?.resources?.requests,
    spec?.overhead,
    spec?.priority,
    disks,
    statuses && [...statuses.values()].map((s) => [s.name, s.allocatedResources, s.resources?.requests]),
    statuses && pod.status?.conditions?.filter((c) => c.type === 'PodResizePending').map((c) => c.reason),
  ]);
  return asks.get(text, () => {
    const requests = podRequests(pod);
    return {
      requests,
      list: Object.entries(requests).filter(([, amount]) => amount !== 0),
      nonZero: nonZeroRequests(pod),
      ports: hostPorts(pod),
      priority: spec?.priority ?? 0,
      disks,
    };
  });
}

const isDisk = (v: Volume): boolean =>
  (v.gcePersistentDisk ?? v.awsElasticBlockStore ?? v.rbd ?? v.iscsi ?? v.azureDisk ?? v.cinder ?? v.csi) !== undefined;

/** Upstream's name of an ephemeral volume's claim is `<pod>-<volume>`. */
function claimsOf({ metadata, spec }: Pod): readonly string[] {
  const claims: string[] = [];
  for (const volume of spec?.volumes ?? []) {
    const name = volume.ephemeral ? `${metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName;
    if (name !== undefined) claims.push(`${metadata.namespace}/${name}`);
  }
  return claims.length === 0 ? NONE : claims;
}
