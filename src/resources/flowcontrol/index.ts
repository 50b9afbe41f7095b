import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types/flowcontrol.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { flowSchema } from './flowschema.ts';
import { priorityLevel } from './prioritylevel.ts';
import { flowControlStatus } from './status.ts';

const flowcontrol = groupVersion('flowcontrol.apiserver.k8s.io', 'v1');

/** The resources of the group `flowcontrol.apiserver.k8s.io`. */
export const flowcontrolResources: readonly Resource[] = [
  flowcontrol<FlowSchema>({
    resource: 'flowschemas',
    kind: 'FlowSchema',
    namespaced: false,
    subresources: [statusSubresource<FlowSchema>('FlowSchema', flowControlStatus)],
    strategy: flowSchema,
  }),
  flowcontrol<PriorityLevelConfiguration>({
    resource: 'prioritylevelconfigurations',
    kind: 'PriorityLevelConfiguration',
    namespaced: false,
    subresources: [statusSubresource<PriorityLevelConfiguration>('PriorityLevelConfiguration', flowControlStatus)],
    strategy: priorityLevel,
  }),
];
