/** A cluster of which there is nothing to know. */
import type { ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';

export const NO_FACTS: Omit<ClusterSnapshot, 'version' | 'issuer' | 'keys'> = {
  authorities: '',
  namespaces: [],
  roles: [],
  bindings: [],
  definitions: [],
  quotas: [],
  hooks: [],
  remoteServices: [],
  removedNodes: [],
  flows: { schemas: [], levels: [] },
};
