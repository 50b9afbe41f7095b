import type { FieldError } from '../../apimachinery/field.ts';
import { now } from '../../apimachinery/meta.ts';
import type {
  Binding,
  ComponentStatus,
  PersistentVolume,
  PersistentVolumeClaim,
  PodTemplate,
} from '../../generated/types/core.v1.ts';
import { statusSubresource } from '../group.ts';
import type { Resource, SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, statusIsSeparate } from '../strategies.ts';
import { configMap } from './configmap.ts';
import { endpoints } from './endpoints.ts';
import { event } from './event.ts';
import { core } from './group.ts';
import { limitRange } from './limitrange.ts';
import { namespace } from './namespace.ts';
import { node } from './node.ts';
import { pod } from './pod.ts';
import { claimSpec } from './pod-spec/volumes.ts';
import { podSpecWarnings } from './pod-spec/warnings.ts';
import { defaultPodTemplate, validatePodTemplate } from './pod-template.ts';
import { replicationController } from './replicationcontroller.ts';
import { resourceQuota } from './resourcequota.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';
import { serviceAccount } from './serviceaccount.ts';

/** The time of a change of phase is the server's, unless the client says one. */
const volumeStatus: SubresourceStrategy<PersistentVolume> = {
  prepareForUpdate(volume, old) {
    keepAllButStatus<PersistentVolume>().prepareForUpdate(volume, old);
    const { phase, lastPhaseTransitionTime } = volume.status ?? {};
    if (volume.status === undefined || phase === old.status?.phase) return;
    const told =
      lastPhaseTransitionTime !== undefined && lastPhaseTransitionTime !== old.status?.lastPhaseTransitionTime;
    if (!told) volume.status.lastPhaseTransitionTime = now();
  },
};

/** The resources of the core group. */
export const coreResources: readonly Resource[] = [
  core<Binding>({ resource: 'bindings', kind: 'Binding', namespaced: true, verbs: ['create'] }),
  core<ComponentStatus>({
    resource: 'componentstatuses',
    kind: 'ComponentStatus',
    namespaced: false,
    shortNames: ['cs'],
    verbs: ['get', 'list'],
  }),
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  core<PersistentVolumeClaim>({
    resource: 'persistentvolumeclaims',
    kind: 'PersistentVolumeClaim',
    namespaced: true,
    shortNames: ['pvc'],
    subresources: [statusSubresource('PersistentVolumeClaim')],
    strategy: {
      returnsDeleted: true,
      ...statusIsSeparate<PersistentVolumeClaim>(),
      generation: false,
      default(claim) {
        claim.spec ??= {};
        claim.spec.volumeMode ??= 'Filesystem';
        claim.status ??= {};
        claim.status.phase ||= 'Pending';
      },
      prepareForCreate(claim) {
        claim.status = { phase: 'Pending' };
      },
      validate(claim) {
        const errors: FieldError[] = [];
        claimSpec(claim.spec ?? {}, 'spec', errors);
        return errors;
      },
    },
  }),
  core<PersistentVolume>({
    resource: 'persistentvolumes',
    kind: 'PersistentVolume',
    namespaced: false,
    shortNames: ['pv'],
    subresources: [statusSubresource('PersistentVolume', volumeStatus)],
    strategy: {
      returnsDeleted: true,
      ...statusIsSeparate<PersistentVolume>(),
      generation: false,
      default(volume) {
        volume.spec ??= {};
        volume.spec.persistentVolumeReclaimPolicy ||= 'Retain';
        volume.spec.volumeMode ??= 'Filesystem';
        if (volume.spec.hostPath !== undefined) volume.spec.hostPath.type ??= '';
        volume.status ??= {};
        volume.status.phase ||= 'Pending';
      },
      prepareForCreate(volume) {
        volume.status = { phase: 'Pending', lastPhaseTransitionTime: now() };
      },
    },
  }),
  pod,
  core<PodTemplate>({
    resource: 'podtemplates',
    kind: 'PodTemplate',
    namespaced: true,
    strategy: {
      returnsDeleted: true,
      default: defaultPodTemplate,
      validate(podTemplate) {
        const errors: FieldError[] = [];
        validatePodTemplate(podTemplate.template, 'template', errors);
        return errors;
      },
      warnings: (podTemplate) => podSpecWarnings(podTemplate.template?.spec, 'template.spec'),
      generation: true,
    },
  }),
  replicationController,
  resourceQuota,
  secret,
  serviceAccount,
  service,
];
