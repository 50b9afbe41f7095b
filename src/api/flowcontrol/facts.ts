/** What a cluster's snapshot knows of its flow schemas and priority levels. */
import type { ResourceId } from '../../apimachinery/client.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { FlowSchemaFact, PriorityLevelFact } from '../../durable-objects/cluster-rpc.ts';
import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types/flowcontrol.v1.ts';

const GROUP = 'flowcontrol.apiserver.k8s.io';

export const FLOW_SCHEMAS = `${GROUP}/flowschemas` satisfies ResourceId;
export const PRIORITY_LEVELS = `${GROUP}/prioritylevelconfigurations` satisfies ResourceId;

/** The stores of both. */
export const FLOW_STORES: readonly ResourceId[] = [FLOW_SCHEMAS, PRIORITY_LEVELS];

/** The fact about a FlowSchema. */
export function flowSchemaFact(object: KubeObject): FlowSchemaFact {
  const { metadata, spec = {} } = object as FlowSchema;
  const { type } = spec.distinguisherMethod ?? {};
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    level: spec.priorityLevelConfiguration?.name ?? '',
    precedence: spec.matchingPrecedence ?? 1000,
    ...(type === undefined ? {} : { distinguisher: type }),
    rules: spec.rules ?? [],
  };
}

/** The fact about a PriorityLevelConfiguration. */
export function priorityLevelFact(object: KubeObject): PriorityLevelFact {
  const { metadata, spec = {} } = object as PriorityLevelConfiguration;
  const { limited, exempt } = spec;
  const shared = limited ?? exempt ?? {};
  const { borrowingLimitPercent: borrowing } = limited ?? {};
  const { queues = 0, handSize = 0, queueLengthLimit = 0 } = limited?.limitResponse?.queuing ?? {};
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    exempt: spec.type === 'Exempt',
    shares: shared.nominalConcurrencyShares ?? 0,
    lendablePercent: shared.lendablePercent ?? 0,
    ...(borrowing === undefined ? {} : { borrowingLimitPercent: borrowing }),
    ...(limited?.limitResponse?.type === 'Queue' ? { queuing: { queues, handSize, queueLengthLimit } } : {}),
  };
}
