import type { RuntimeClass } from '../../generated/types/node.v1.ts';
import { groupVersion } from '../group.ts';
import type { Resource } from '../resource.ts';
import { runtimeClass } from './runtimeclass.ts';

const node = groupVersion('node.k8s.io', 'v1');

/** The resources of the group `node.k8s.io`. */
export const nodeResources: readonly Resource[] = [
  node<RuntimeClass>({
    resource: 'runtimeclasses',
    kind: 'RuntimeClass',
    namespaced: false,
    strategy: runtimeClass,
  }),
];
