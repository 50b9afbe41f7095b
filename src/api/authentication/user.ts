/** Who a request comes from (`user.Info`). */
export interface User {
  name: string;
  uid: string;
  groups: readonly string[];
  extra: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: User = {
  name: 'system:anonymous',
  uid: '',
  groups: ['system:unauthenticated'],
  extra: {},
};

export const AUTHENTICATED = 'system:authenticated';
export const MASTERS = 'system:masters';
export const NODES = 'system:nodes';
export const NODE_PREFIX = 'system:node:';
/** Agents are more than kubelets: they are their machines' service proxy, network and DNS as well. */
export const AGENTS = 'zeroplane:agents';
