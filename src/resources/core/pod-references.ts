/** What a pod names of its namespace (upstream's `VisitPodSecretNames`, `VisitPodConfigmapNames`, and the graph of the Node authorizer). */
import type { Container, PersistentVolume, Pod, Volume } from '../../generated/types/core.v1.ts';

export interface PodReferences {
  secrets: string[];
  configMaps: string[];
  claims: string[];
  resourceClaims: string[];
  serviceAccounts: string[];
}

/** The names; a pod may name one more than once. */
export function podReferences({ metadata, spec = {}, status = {} }: Pod): PodReferences {
  const secrets = (spec.imagePullSecrets ?? []).map(({ name }) => name);
  const configMaps: (string | undefined)[] = [];
  const containers: Container[] = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Container[]),
  ];
  for (const { env = [], envFrom = [] } of containers) {
    secrets.push(...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name));
    secrets.push(...envFrom.map(({ secretRef }) => secretRef?.name));
    configMaps.push(...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef?.name));
    configMaps.push(...envFrom.map(({ configMapRef }) => configMapRef?.name));
  }
  const volumes = spec.volumes ?? [];
  for (const volume of volumes) {
    secrets.push(...volumeSecrets(volume));
    configMaps.push(
      volume.configMap?.name,
      ...(volume.projected?.sources ?? []).map(({ configMap }) => configMap?.name),
    );
  }
  const claimOf = ({ name, persistentVolumeClaim, ephemeral }: Volume): string | undefined =>
    persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? undefined : `${metadata.name}-${name}`);
  const generated = new Map(
    status.resourceClaimStatuses?.map(({ name, resourceClaimName }) => [name, resourceClaimName]),
  );
  const resourceClaims = (spec.resourceClaims ?? []).map(
    ({ name, resourceClaimName }) => resourceClaimName ?? generated.get(name),
  );
  return {
    secrets: named(secrets),
    configMaps: named(configMaps),
    claims: named(volumes.map(claimOf)),
    resourceClaims: named([...resourceClaims, status.extendedResourceClaimStatus?.resourceClaimName]),
    serviceAccounts: named([spec.serviceAccountName]),
  };
}

const named = (names: readonly (string | undefined)[]): string[] =>
  names.filter((name): name is string => name !== undefined && name !== '');

function volumeSecrets(volume: Volume): (string | undefined)[] {
  const refs = [
    volume.cephfs,
    volume.cinder,
    volume.flexVolume,
    volume.rbd,
    volume.scaleIO,
    volume.iscsi,
    volume.storageos,
  ];
  return [
    volume.secret?.secretName,
    volume.azureFile?.secretName,
    volume.csi?.nodePublishSecretRef?.name,
    ...refs.map((source) => source?.secretRef?.name),
    ...(volume.projected?.sources ?? []).map(({ secret }) => secret?.name),
  ];
}

/** Secrets that a kubelet needs for a volume, as `namespace/name` (`VisitPVSecretNames`); not those of controllers. */
export function volumeSecretKeys({ spec = {} }: PersistentVolume): string[] {
  const { csi, claimRef } = spec;
  const refs = [
    csi?.nodeStageSecretRef,
    csi?.nodePublishSecretRef,
    csi?.nodeExpandSecretRef,
    ...[spec.cephfs, spec.cinder, spec.flexVolume, spec.rbd, spec.scaleIO, spec.iscsi, spec.storageos].map(
      (source) => source?.secretRef,
    ),
    { name: spec.azureFile?.secretName, namespace: spec.azureFile?.secretNamespace },
  ];
  return refs.flatMap((ref) => (ref?.name ? [`${ref.namespace || claimRef?.namespace}/${ref.name}`] : []));
}
