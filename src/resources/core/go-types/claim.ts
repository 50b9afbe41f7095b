/** Internal types of PersistentVolumeClaims. */
import { all, listOf, nullable, pointerTo, struct, text } from '../../validation/go-struct.ts';
import { labelSelector, templateOf, volumeResources } from './shared.ts';

/** `PersistentVolumeClaimSpec`. */
export const claimSpec = struct({
  AccessModes: listOf(text),
  Selector: labelSelector,
  Resources: struct(volumeResources),
  VolumeName: text,
  ...all(nullable, 'StorageClassName', 'VolumeMode'),
  DataSource: pointerTo(struct({ APIGroup: nullable, ...all(text, 'Kind', 'Name') })),
  DataSourceRef: pointerTo(struct({ APIGroup: nullable, ...all(text, 'Kind', 'Name'), Namespace: nullable })),
  VolumeAttributesClassName: nullable,
});

/** `PersistentVolumeClaimTemplate`. */
export const claimTemplate = templateOf(claimSpec);
