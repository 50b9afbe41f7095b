/** What a pod's spec is when its author left it open (`SetDefaults_PodSpec` and what it calls). */
import type {
  Container,
  LifecycleHandler,
  ObjectFieldSelector,
  PodSpec,
  Probe,
  ResourceFieldSelector,
  Volume,
} from '../../../generated/types/core.v1.ts';
import { imageTag } from './image-tag.ts';

function defaultProbe(probe: Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHandler(probe);
  if (probe.grpc !== undefined) probe.grpc.service ??= '';
}

function defaultHandler(handler: LifecycleHandler | undefined): void {
  if (handler?.httpGet === undefined) return;
  handler.httpGet.path ||= '/';
  handler.httpGet.scheme ||= 'HTTP';
}

function defaultReferences(source: { fieldRef?: ObjectFieldSelector; resourceFieldRef?: ResourceFieldSelector }): void {
  if (source.fieldRef !== undefined) source.fieldRef.apiVersion ||= 'v1';
  if (source.resourceFieldRef !== undefined) source.resourceFieldRef.divisor ??= '0';
}

/** `Always` for `latest` or no tag, else `IfNotPresent`; also for what is no image reference at all. */
const defaultPullPolicy = (image = ''): string => (imageTag(image) === 'latest' ? 'Always' : 'IfNotPresent');

/** Fills in one container, of any kind. */
function defaultContainer(container: Container): void {
  container.resources ??= {};
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ||= 'File';
  container.imagePullPolicy ||= defaultPullPolicy(container.image);
  for (const port of container.ports ?? []) port.protocol ||= 'TCP';
  for (const variable of container.env ?? []) {
    if (variable.valueFrom !== undefined) defaultReferences(variable.valueFrom);
  }
  defaultProbe(container.livenessProbe);
  defaultProbe(container.readinessProbe);
  defaultProbe(container.startupProbe);
  if (container.lifecycle !== undefined) {
    defaultHandler(container.lifecycle.postStart);
    defaultHandler(container.lifecycle.preStop);
  }
  const context = container.securityContext;
  if (context !== undefined && 'procMount' in context && context.procMount === undefined) delete context.procMount;
}

/** Requests that are absent are the limits. */
function defaultRequests(container: Container): void {
  const resources = container.resources as
    | { limits?: Record<string, string>; requests?: Record<string, string> }
    | undefined;
  if (resources?.limits === undefined) return;
  for (const name of Object.keys(resources.limits)) {
    resources.requests ??= {};
    if (!Object.hasOwn(resources.requests, name)) resources.requests[name] = resources.limits[name] as string;
  }
}

function defaultVolume(volume: Volume): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  if (volume.configMap !== undefined) volume.configMap.defaultMode ??= 420;
  if (volume.secret !== undefined) volume.secret.defaultMode ??= 420;
  if (volume.downwardAPI !== undefined) {
    volume.downwardAPI.defaultMode ??= 420;
    volume.downwardAPI.items?.forEach(defaultReferences);
  }
  if (volume.projected !== undefined) {
    volume.projected.defaultMode ??= 420;
    for (const source of volume.projected.sources ?? []) {
      source.downwardAPI?.items?.forEach(defaultReferences);
      if (source.serviceAccountToken !== undefined) source.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (volume.image !== undefined) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference);
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim !== undefined) {
    claim.spec ??= {};
    claim.spec.volumeMode ??= 'Filesystem';
  }
  defaultSharedSources(volume);
}

type SharedSources = Pick<Volume, 'hostPath' | 'iscsi' | 'rbd' | 'azureDisk' | 'scaleIO'>;

/** Fills in the storage that both a pod's volumes and PersistentVolumes may name. */
export function defaultSharedSources(volume: SharedSources): void {
  if (volume.hostPath !== undefined) volume.hostPath.type ??= '';
  if (volume.iscsi !== undefined) volume.iscsi.iscsiInterface ||= 'default';
  if (volume.rbd !== undefined) {
    volume.rbd.pool ||= 'rbd';
    volume.rbd.user ||= 'admin';
    volume.rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (volume.azureDisk !== undefined) {
    volume.azureDisk.cachingMode ??= 'ReadWrite';
    volume.azureDisk.kind ??= 'Shared';
    volume.azureDisk.fsType ??= 'ext4';
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO !== undefined) {
    volume.scaleIO.storageMode ||= 'ThinProvisioned';
    volume.scaleIO.fsType ||= 'xfs';
  }
}

/** Fills in a pod's spec, of a pod or of a template. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ||= 'Always';
  spec.dnsPolicy ||= 'ClusterFirst';
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  spec.volumes?.forEach(defaultVolume);
  spec.initContainers?.forEach(defaultContainer);
  spec.containers?.forEach(defaultContainer);
  spec.ephemeralContainers?.forEach((container) => {
    defaultContainer(container);
  });
}

/** What pods have on top of templates (`SetDefaults_Pod`). */
export function defaultPod(spec: PodSpec): void {
  defaultPodSpec(spec);
  spec.enableServiceLinks ??= true;
  // Upstream's conversion makes it so of pods, not of templates.
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1;
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])];
  containers.forEach(defaultRequests);
  if (spec.hostNetwork !== true) return;
  for (const { ports = [] } of containers) for (const port of ports) port.hostPort ||= port.containerPort;
}
