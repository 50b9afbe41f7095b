/**
 * What a zero on the wire means. Go writes plain scalars even when they are zero and leaves them out of JSON then; pointers are
 * written only when they are set, so that their zero was meant. Which is which is a fact about each field.
 */
import type { Field, MessageSchema } from '../schema/index.ts';
import { isPointer } from './pointers.ts';

const words = (text: string): Set<string> => new Set(text.trim().split(/\s+/));

/** Plain numbers and booleans of any message. */
const PLAIN = words(`
  active allowWatchBookmarks authenticated availableReplicas chapAuthDiscovery chapAuthSession clusterScope count
  currentReplicas denied deprecated deprecatedCount exclusiveMaximum exclusiveMinimum failed failureThreshold
  follow fullyLabeledReplicas generation globalDefault healthCheckNodePort hostIPC hostNetwork hostPID hostPort
  initialDelaySeconds insecureSkipTLSVerify insecureSkipTLSVerifyBackend limit minReadySeconds nodePort nullable number
  numberAvailable numberUnavailable observedGeneration paused periodSeconds preserveUnknownFields previous
  publishNotReadyAddresses readOnly readyReplicas retryAfterSeconds signal sizeBytes sslEnabled stderr stdin stdinOnce
  stdout succeeded successThreshold timestamps tty unavailableReplicas uniqueItems unschedulable updatedNumberScheduled
  updatedReplicas watch x-kubernetes-embedded-resource x-kubernetes-int-or-string
`);
/** Plain in this message, a pointer in others. */
const PLAIN_HERE = words(`
  apiextensions.v1.CustomResourceColumnDefinition.priority apps.v1.DeploymentStatus.replicas
  core.v1.AWSElasticBlockStoreVolumeSource.partition core.v1.GCEPersistentDiskVolumeSource.partition
  core.v1.Probe.timeoutSeconds meta.v1.Status.code
`);
/**
 * Fields whose zero is written in JSON too: pointers here that are plain elsewhere, pointers to strings of which an empty one says
 * something else than none, and what Go never leaves out.
 */
const SAID = words(`
  authentication.v1.TokenRequestStatus.token coordination.v1.LeaseSpec.holderIdentity core.v1.AzureDiskVolumeSource.readOnly
  core.v1.CSIVolumeSource.readOnly core.v1.Event.reportingComponent core.v1.Event.reportingInstance core.v1.GRPCAction.service
  core.v1.HostPathVolumeSource.type core.v1.NodeRuntimeHandler.name core.v1.PersistentVolumeClaimSpec.storageClassName
  core.v1.PersistentVolumeClaimSpec.volumeAttributesClassName core.v1.PersistentVolumeSpec.volumeAttributesClassName
  apps.v1.StatefulSetSpec.serviceName apps.v1.StatefulSetStatus.availableReplicas
  batch.v1.PodFailurePolicyOnPodConditionsPattern.status discovery.v1.EndpointPort.name rbac.v1.RoleRef.apiGroup
  storage.v1.VolumeNodeResources.count
`);

/** Whether a zero value of this field is the same as none. */
export function zeroIsAbsent(message: MessageSchema, field: Field): boolean {
  if (field.required || field.shape !== 'one') return false;
  const name = `${message.name}.${field.name}`;
  if (SAID.has(name) || isPointer(name)) return false;
  switch (field.kind) {
    case 'string':
    case 'bytes':
      return true;
    case 'message':
      return false;
    default:
      return PLAIN_HERE.has(name) || PLAIN.has(field.name);
  }
}
