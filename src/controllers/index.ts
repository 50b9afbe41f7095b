/** All controllers. A new one is a folder beside the others, and a line here. */
import type { ResourceId } from '../apimachinery/client.ts';
import { apiServiceController } from './apiservice/index.ts';
import { attachDetachController } from './attach-detach/index.ts';
import { bootstrapSignerController } from './bootstrap-signer/index.ts';
import { certificateApprover, certificateCleaner, certificateSigner } from './certificatesigningrequest/index.ts';
import { clusterAuthenticationTrustController } from './cluster-authentication-trust/index.ts';
import { clusterRoleAggregationController } from './clusterrole-aggregation/index.ts';
import type { Controller } from './controller.ts';
import { crdRegistrationController } from './crd-registration/index.ts';
import { cronJobController } from './cronjob/index.ts';
import { customResourceDefinitionController } from './custom-resource-definition/index.ts';
import { daemonSetController } from './daemonset/index.ts';
import { deploymentController } from './deployment/index.ts';
import { deviceTaintEvictionController } from './device-taint-eviction/index.ts';
import { disruptionController } from './disruption/index.ts';
import { staleDisruptionController } from './disruption/stale-target.ts';
import { endpointsController } from './endpoints/index.ts';
import { endpointSliceController } from './endpointslice/index.ts';
import { endpointSliceMirroringController } from './endpointslice-mirroring/index.ts';
import { ephemeralVolumeController } from './ephemeral-volume/index.ts';
import { flowSchemaController } from './flow-schema/index.ts';
import { garbageCollector } from './garbage-collector/index.ts';
import { horizontalPodAutoscalerController } from './horizontal-pod-autoscaler/index.ts';
import { jobController } from './job/index.ts';
import { jobOrphanController } from './job/orphans.ts';
import { namespaceController } from './namespace/index.ts';
import { nodeIpamController } from './node-ipam/index.ts';
import { nodeLifecycleController } from './node-lifecycle/index.ts';
import { persistentVolumeBinder } from './persistentvolume-binder/index.ts';
import { podGarbageCollector } from './pod-garbage-collector/index.ts';
import { replicaSetController, replicationController } from './replicaset/index.ts';
import { resourceClaimController } from './resource-claim/index.ts';
import { resourceQuotaController } from './resource-quota/index.ts';
import { rootCaController } from './root-ca/index.ts';
import { serviceAccountController } from './serviceaccount/index.ts';
import { serviceAccountTokenController } from './serviceaccount-token/index.ts';
import { statefulSetController } from './statefulset/index.ts';
import { taintEvictionController } from './taint-eviction/index.ts';
import { tokenCleanerController } from './token-cleaner/index.ts';
import { ttlController } from './ttl/index.ts';
import { ttlAfterFinishedController } from './ttl-after-finished/index.ts';
import { validatingAdmissionPolicyStatusController } from './validating-admission-policy-status/index.ts';
import { volumeExpandController } from './volume-expand/index.ts';
import { attributesClassProtection, claimProtection, volumeProtection } from './volume-protection/index.ts';

export const controllers: readonly Controller[] = [
  deploymentController,
  replicaSetController,
  replicationController,
  statefulSetController,
  daemonSetController,
  jobController,
  jobOrphanController,
  cronJobController,
  ttlAfterFinishedController,
  horizontalPodAutoscalerController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  serviceAccountController,
  serviceAccountTokenController,
  certificateApprover,
  certificateSigner,
  certificateCleaner,
  bootstrapSignerController,
  tokenCleanerController,
  rootCaController,
  clusterAuthenticationTrustController,
  namespaceController,
  clusterRoleAggregationController,
  resourceQuotaController,
  resourceClaimController,
  disruptionController,
  staleDisruptionController,
  garbageCollector,
  nodeLifecycleController,
  nodeIpamController,
  taintEvictionController,
  deviceTaintEvictionController,
  podGarbageCollector,
  ttlController,
  persistentVolumeBinder,
  ephemeralVolumeController,
  volumeExpandController,
  attachDetachController,
  claimProtection,
  volumeProtection,
  attributesClassProtection,
  customResourceDefinitionController,
  crdRegistrationController,
  apiServiceController,
  flowSchemaController,
  validatingAdmissionPolicyStatusController,
];

/** Those that are part of the API server. */
export const apiServerControllers: readonly Controller[] = controllers.filter(
  ({ partOf }) => partOf === 'kube-apiserver',
);

const storesOf = (list: readonly Controller[]): ReadonlySet<ResourceId> =>
  new Set(list.flatMap(({ watches }) => watches.map(({ resource }) => resource)));

/** Stores whose changes some controller wants to hear of; the others need not notify. */
export const watchedStores = storesOf(controllers);

/** Those that the API server's own controllers want to hear of. */
export const watchedByApiServer = storesOf(apiServerControllers);
