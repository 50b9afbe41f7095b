import type { FieldError } from '../../apimachinery/field.ts';
import type { Binding, ComponentStatus, PodTemplate } from '../../generated/types/core.v1.ts';
import type { Resource } from '../resource.ts';
import { configMap } from './configmap.ts';
import { endpoints } from './endpoints.ts';
import { event } from './event.ts';
import { core } from './group.ts';
import { limitRange } from './limitrange.ts';
import { namespace } from './namespace.ts';
import { node } from './node.ts';
import { persistentVolume } from './persistentvolume.ts';
import { persistentVolumeClaim } from './persistentvolumeclaim.ts';
import { pod } from './pod.ts';
import { templateWarnings } from './pod-spec/warnings.ts';
import { defaultPodTemplate, validatePodTemplate } from './pod-template.ts';
import { replicationController } from './replicationcontroller.ts';
import { resourceQuota } from './resourcequota.ts';
import { secret } from './secret.ts';
import { service } from './service.ts';
import { serviceAccount } from './serviceaccount.ts';

/** The resources of the core group. */
export const coreResources: readonly Resource[] = [
  core<Binding>({ resource: 'bindings', kind: 'Binding', namespaced: true, verbs: ['create'] }),
  core<ComponentStatus>({
    resource: 'componentstatuses',
    kind: 'ComponentStatus',
    namespaced: false,
    shortNames: ['cs'],
    deprecation: 'v1 ComponentStatus is deprecated in v1.19+',
    verbs: ['get', 'list'],
  }),
  configMap,
  endpoints,
  event,
  limitRange,
  namespace,
  node,
  persistentVolumeClaim,
  persistentVolume,
  pod,
  core<PodTemplate>({
    resource: 'podtemplates',
    kind: 'PodTemplate',
    namespaced: true,
    strategy: {
      metadataChecks: [0, 1],
      returnsDeleted: true,
      default: defaultPodTemplate,
      validate(podTemplate) {
        const errors: FieldError[] = [];
        validatePodTemplate(podTemplate.template, 'template', errors);
        return errors;
      },
      warnings: (podTemplate, old) => templateWarnings(podTemplate, old, podTemplate.template, 'template'),
      generation: true,
    },
  }),
  replicationController,
  resourceQuota,
  secret,
  serviceAccount,
  service,
];
