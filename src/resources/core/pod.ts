import type { FieldError } from '../../apimachinery/field.ts';
import { required } from '../../apimachinery/field.ts';
import { now } from '../../apimachinery/meta.ts';
import type { Pod, PodSpec } from '../../generated/types/core.v1.ts';
import { changeSubresource, statusSubresource } from '../group.ts';
import type { SubresourceStrategy } from '../resource.ts';
import { keep } from '../strategies.ts';
import { core } from './group.ts';
import { annotationUpdateErrors } from './pod-spec/annotations.ts';
import { settleAppArmor } from './pod-spec/app-armor.ts';
import { addDefaultTolerations } from './pod-spec/default-tolerations.ts';
import { defaultPod } from './pod-spec/defaults.ts';
import { validateEphemeralContainersUpdate } from './pod-spec/ephemeral-containers.ts';
import { applyMatchLabelKeys } from './pod-spec/match-label-keys.ts';
import { defaultPodLevelResources } from './pod-spec/pod-level-defaults.ts';
import { qosClass } from './pod-spec/qos.ts';
import { keepAllButResources, validatePodResize } from './pod-spec/resize.ts';
import { validatePodUpdate } from './pod-spec/update.ts';
import { validatePod } from './pod-spec/validation.ts';
import { podWarnings } from './pod-spec/warnings.ts';

/**
 * How long a pod may take to end, in seconds: as asked for, else as its spec says; a pod without a node, or one that has
 * ended, goes at once. Negative wishes count as 1.
 */
function gracePeriodSeconds(pod: Pod, requested: number | undefined): number {
  const phase = pod.status?.phase;
  if (!pod.spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') return 0;
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return seconds < 0 ? 1 : seconds;
}

/** `podIP` is the first of `podIPs`, whichever of the two a writer knows; upstream's conversion sees to it. */
function settleAddresses(status: Pod['status']): void {
  if (status === undefined) return;
  const first = status.podIPs?.[0]?.ip;
  if (first === undefined && status.podIP) status.podIPs = [{ ip: status.podIP }];
  else if (first !== undefined && status.podIP !== first) status.podIP = first;
}

const status: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old) {
    keep(pod, old, 'spec');
    keep(pod.metadata, old.metadata, 'deletionTimestamp', 'ownerReferences');
    // The class is fixed when the pod is made.
    if (pod.status !== undefined && old.status?.qosClass !== undefined) pod.status.qosClass = old.status.qosClass;
  },
  validateUpdate(pod, old) {
    const errors: FieldError[] = annotationUpdateErrors(pod, old);
    const names = new Set((pod.spec?.resourceClaims ?? []).map((claim) => claim.name));
    pod.status?.resourceClaimStatuses?.forEach((claim, index) => {
      if (!names.has(claim.name)) errors.push(required(`status.resourceClaimStatuses[${index}].name`));
    });
    return errors;
  },
};

/** All metadata stays, but for what every write brings along. */
function keepMetadata(pod: Pod, old: Pod): void {
  const { resourceVersion, managedFields } = pod.metadata;
  pod.metadata = { ...old.metadata, resourceVersion, managedFields };
}

/** What the pod's class gave it stays, though a client leaves it out. */
function keepPriority(spec: PodSpec, old: PodSpec | undefined): void {
  if (spec.priority === undefined && old?.priority !== undefined) spec.priority = old.priority;
  if (spec.preemptionPolicy === undefined && old?.preemptionPolicy !== undefined) {
    spec.preemptionPolicy = old.preemptionPolicy;
  }
}

const ephemeralContainers: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old) {
    const added = pod.spec?.ephemeralContainers;
    pod.spec = { ...old.spec } as PodSpec;
    if (added === undefined) delete pod.spec.ephemeralContainers;
    else pod.spec.ephemeralContainers = added;
    keep(pod, old, 'status');
    keepMetadata(pod, old);
  },
  validateUpdate: validateEphemeralContainersUpdate,
};

const resize: SubresourceStrategy<Pod> = {
  prepareForUpdate(pod, old) {
    pod.spec = keepAllButResources(pod.spec ?? {}, old.spec ?? {});
    keep(pod, old, 'status');
    keepMetadata(pod, old);
  },
  validateUpdate: validatePodResize,
};

/** Pods. */
export const pod = core<Pod>({
  resource: 'pods',
  kind: 'Pod',
  namespaced: true,
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
    { name: 'binding', kind: 'Binding', verbs: ['create'] },
    changeSubresource('ephemeralcontainers', 'Pod', ephemeralContainers),
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
    { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
    { name: 'log', kind: 'Pod', verbs: ['get'] },
    { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
    { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    changeSubresource('resize', 'Pod', resize),
    statusSubresource('Pod', status),
  ],
  strategy: {
    returnsDeleted: true,
    default(pod) {
      if (pod.spec !== undefined) {
        defaultPod(pod.spec);
        defaultPodLevelResources(pod.spec);
      }
      settleAddresses(pod.status);
    },
    prepareForCreate(pod) {
      pod.status = { phase: 'Pending', qosClass: qosClass(pod.spec ?? {}) };
      applyMatchLabelKeys(pod);
      settleAppArmor(pod);
      if (pod.spec?.schedulingGates?.length) {
        const message = 'Scheduling is blocked due to non-empty scheduling gates';
        pod.status.conditions = [
          { type: 'PodScheduled', status: 'False', lastTransitionTime: now(), reason: 'SchedulingGated', message },
        ];
      }
    },
    validate: validatePod,
    prepareForUpdate(pod, old) {
      keep(pod, old, 'status');
      if (pod.spec === undefined) return;
      addDefaultTolerations(pod.spec);
      keepPriority(pod.spec, old.spec);
    },
    validateUpdate: validatePodUpdate,
    warnings: podWarnings,
    gracePeriodSeconds,
  },
  selectableFields: ({ spec, status }) => ({
    'spec.nodeName': spec?.nodeName ?? '',
    'spec.restartPolicy': spec?.restartPolicy ?? '',
    'spec.schedulerName': spec?.schedulerName ?? '',
    'spec.serviceAccountName': spec?.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec?.hostNetwork ?? false),
    'status.phase': status?.phase ?? '',
    'status.podIP': status?.podIPs?.[0]?.ip ?? status?.podIP ?? '',
    'status.nominatedNodeName': status?.nominatedNodeName ?? '',
  }),
});
