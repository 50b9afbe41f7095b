import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types/flowcontrol.v1.ts';
import { groupVersion, statusSubresource } from '../group.ts';
import type { Resource } from '../resource.ts';
import { statusIsSeparate } from '../strategies.ts';

const flowcontrol = groupVersion('flowcontrol.apiserver.k8s.io', 'v1');

/** The resources of the group `flowcontrol.apiserver.k8s.io`. */
export const flowcontrolResources: readonly Resource[] = [
  flowcontrol<FlowSchema>({
    resource: 'flowschemas',
    kind: 'FlowSchema',
    namespaced: false,
    subresources: [statusSubresource('FlowSchema')],
    strategy: {
      ...statusIsSeparate<FlowSchema>({}),
      default({ spec }) {
        if (spec !== undefined) spec.matchingPrecedence ||= 1000;
      },
    },
  }),
  flowcontrol<PriorityLevelConfiguration>({
    resource: 'prioritylevelconfigurations',
    kind: 'PriorityLevelConfiguration',
    namespaced: false,
    subresources: [statusSubresource('PriorityLevelConfiguration')],
    strategy: {
      ...statusIsSeparate<PriorityLevelConfiguration>({}),
      default({ spec }) {
        const { limited, exempt } = spec ?? {};
        if (limited !== undefined) {
          limited.nominalConcurrencyShares ??= 30;
          limited.lendablePercent ??= 0;
          limited.limitResponse ??= {};
          limited.limitResponse.type ||= 'Reject';
          const queuing = limited.limitResponse.queuing;
          if (queuing !== undefined) {
            queuing.handSize ||= 8;
            queuing.queues ||= 64;
            queuing.queueLengthLimit ||= 50;
          }
        }
        if (exempt !== undefined) {
          exempt.nominalConcurrencyShares ??= 0;
          exempt.lendablePercent ??= 0;
        }
      },
    },
  }),
];
