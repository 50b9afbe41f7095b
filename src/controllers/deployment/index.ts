/** Rolls Deployments out: one ReplicaSet for each template. */

import type { Client } from '../../apimachinery/client.ts';
import { findCondition } from '../../apimachinery/conditions.ts';
import { selects, selectsEverything } from '../../apimachinery/labels.ts';
import type { Deployment, ReplicaSet } from '../../generated/types/apps.v1.ts';
import { type Controller, itself, type ObjectChange } from '../controller.ts';
import { patchStatus } from '../objects.ts';
import { ownerKeys } from '../owners.ts';
import { claim } from '../replicaset/claim.ts';
import { rollback, rollbackTarget } from './rollback.ts';
import { isRollingUpdate, progressDeadline } from './rollout-math.ts';
import { calculateStatus, newCondition, setCondition, TIMED_OUT } from './status.ts';
import { isScalingEvent, recreate, rollingUpdate, scaleOnly } from './strategies.ts';
import { DeploymentSync } from './sync.ts';

/** The Deployment that owns the changed ReplicaSet, or those that would adopt it. */
const deploymentsOf = (change: ObjectChange, client: Client): Promise<string[]> =>
  ownerKeys<Deployment>(change, client, { kind: 'Deployment', resource: 'apps/deployments' }, (deployment, set) =>
    selects(deployment.spec?.selector, set.metadata.labels),
  );

/** Says in the Progressing condition that a roll-out is paused, or goes on: a pause does not count against the deadline. */
function pauseCondition(deployment: Deployment, at: number): Deployment['status'] {
  const current = findCondition(deployment.status?.conditions, 'Progressing');
  if (progressDeadline(deployment) === undefined || current?.reason === TIMED_OUT) return undefined;
  const saysPaused = current?.reason === 'DeploymentPaused';
  const paused = deployment.spec?.paused === true;
  if (paused === saysPaused) return undefined;
  const status = structuredClone(deployment.status ?? {});
  setCondition(
    status,
    paused
      ? newCondition('Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', at)
      : newCondition('Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed', at),
  );
  return status;
}

/** Upstream's `deployment-controller`. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  watches: [
    { resource: 'apps/deployments', keys: itself },
    { resource: 'apps/replicasets', keys: deploymentsOf },
  ],
  async reconcile(client, { namespace, name }, context) {
    const read = await client.get<Deployment>('apps/deployments', namespace, name);
    if (read?.spec?.selector === undefined || read.spec.template === undefined) return;
    let deployment: Deployment = { ...read, apiVersion: 'apps/v1', kind: 'Deployment' };
    if (selectsEverything(read.spec.selector)) {
      const message = 'This deployment is selecting all pods. A non-empty selector is required.';
      context.events.record(deployment, 'Warning', 'SelectingAll', message);
      const observedGeneration = deployment.metadata.generation;
      await patchStatus(client, 'apps/deployments', deployment, { ...deployment.status, observedGeneration });
      return;
    }
    const selector = read.spec.selector;
    const sets = await claim<ReplicaSet>(client, 'apps/replicasets', deployment, 'apps/v1', 'Deployment', selector);
    if (deployment.metadata.deletionTimestamp !== undefined) {
      await new DeploymentSync(client, context, deployment, sets).writeStatus(calculateStatus);
      return;
    }
    const paused = pauseCondition(deployment, context.now());
    if (paused !== undefined) {
      await patchStatus(client, 'apps/deployments', deployment, paused);
      deployment = { ...deployment, status: paused };
    }
    const sync = new DeploymentSync(client, context, deployment, sets);
    if (deployment.spec?.paused) return scaleOnly(sync);
    const target = rollbackTarget(deployment);
    if (target !== undefined) return void (await rollback(sync, target));
    if (isScalingEvent(sync)) return scaleOnly(sync);
    return isRollingUpdate(deployment) ? rollingUpdate(sync) : recreate(sync);
  },
};
