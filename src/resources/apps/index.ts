import type { ControllerRevision } from '../../generated/types/apps.v1.ts';
import type { Resource } from '../resource.ts';
import { daemonSet } from './daemonset.ts';
import { deployment } from './deployment.ts';
import { apps } from './group.ts';
import { replicaSet } from './replicaset.ts';
import { statefulSet } from './statefulset.ts';

/** The resources of the group `apps`. */
export const appsResources: readonly Resource[] = [
  apps<ControllerRevision>({ resource: 'controllerrevisions', kind: 'ControllerRevision', namespaced: true }),
  daemonSet,
  deployment,
  replicaSet,
  statefulSet,
];
