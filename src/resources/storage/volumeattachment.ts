import { deepEqual } from '../../apimachinery/equal.ts';
import { type FieldError, forbiddenField, invalid, required, tooLong } from '../../apimachinery/field.ts';
import { byteLength } from '../../apimachinery/names.ts';
import type { VolumeAttachment, VolumeAttachmentSource } from '../../generated/types/storage.v1.ts';
import { persistentVolumeSpec } from '../core/go-types/persistent-volume.ts';
import type { Strategy, SubresourceStrategy } from '../resource.ts';
import { keepAllButStatus, STATUS_KEEPS, statusIsSeparate } from '../strategies.ts';
import { dns1123Subdomain } from '../validation/formats.ts';
import { nullable, pointerTo, struct, text } from '../validation/go-struct.ts';
import { driverName } from './csi.ts';

const ONE_SOURCE = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

function sourceErrors({ persistentVolumeName: name, inlineVolumeSpec }: VolumeAttachmentSource): FieldError[] {
  const at = 'spec.source';
  const errors: FieldError[] = [];
  if (name === undefined && inlineVolumeSpec === undefined) errors.push(required(at, ONE_SOURCE));
  else if (name !== undefined && inlineVolumeSpec !== undefined) errors.push(forbiddenField(at, ONE_SOURCE));
  if (name !== undefined) {
    const field = `${at}.persistentVolumeName`;
    if (name === '') errors.push(required(field, 'must specify non empty persistentVolumeName'));
    dns1123Subdomain(name, field, errors);
  }
  return errors;
}

function validate({ spec = {} }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  driverName(spec.attacher, 'spec.attacher', errors);
  errors.push(...sourceErrors(spec.source ?? {}));
  dns1123Subdomain(spec.nodeName, 'spec.nodeName', errors);
  return errors;
}

const shown = struct({
  Attacher: text,
  Source: struct({ PersistentVolumeName: nullable, InlineVolumeSpec: pointerTo(persistentVolumeSpec) }),
  NodeName: text,
});

/** How VolumeAttachments are made: which volume goes to which node is settled once. */
export const volumeAttachment: Strategy<VolumeAttachment> = {
  metadataChecks: [1, 0],
  unconditionalUpdate: false,
  ...statusIsSeparate<VolumeAttachment>({ attached: false }),
  generation: false,
  validate,
  validateUpdate(attachment, old) {
    const errors = validate(attachment);
    if (!deepEqual(shown(attachment.spec), shown(old.spec))) {
      errors.push(invalid('spec', shown(attachment.spec), 'field is immutable'));
    }
    return errors;
  },
};

const LARGEST_METADATA = 256 * 1024;
const LONGEST_MESSAGE = 1024;

function volumeStatusErrors({ status = {} }: VolumeAttachment): FieldError[] {
  const errors: FieldError[] = [];
  const sizes = Object.entries(status.attachmentMetadata ?? {}).map(
    ([key, value]) => byteLength(key) + byteLength(value),
  );
  if (sizes.reduce((sum, size) => sum + size, 0) > LARGEST_METADATA) {
    errors.push(tooLong('status.attachmentMetadata', LARGEST_METADATA));
  }
  for (const field of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode = 0 } = status[field] ?? {};
    // The size that is told is the one of the metadata.
    if (byteLength(message) > LONGEST_MESSAGE) errors.push(tooLong(`status.${field}.message`, LARGEST_METADATA));
    if (errorCode < 0) {
      errors.push(invalid(`status.${field}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive'));
    }
  }
  return errors;
}

/** How their status is changed. */
export const volumeAttachmentStatus: SubresourceStrategy<VolumeAttachment> = {
  ...keepAllButStatus<VolumeAttachment>(...STATUS_KEEPS),
  validateUpdate: (attachment) => [...validate(attachment), ...volumeStatusErrors(attachment)],
};
