import type { Resource } from '../resource.ts';
import { controllerRevision } from './controllerrevision.ts';
import { daemonSet } from './daemonset.ts';
import { deployment } from './deployment.ts';
import { replicaSet } from './replicaset.ts';
import { statefulSet } from './statefulset.ts';

/** The resources of the group `apps`. */
export const appsResources: readonly Resource[] = [controllerRevision, daemonSet, deployment, replicaSet, statefulSet];
