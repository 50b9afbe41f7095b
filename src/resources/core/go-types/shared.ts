/** Internal types of upstream's `core` group, and of `metav1`, that several others hold. */
import {
  type Fields,
  listOf,
  nullable,
  type Printed,
  pointerTo,
  quantities,
  struct,
  tagged,
  text,
  textMap,
} from '../../validation/go-struct.ts';

/** `LocalObjectReference`, which others embed. */
export const reference: Fields = { Name: text };

export const localObjectReference = struct(reference);
export const secretReference = struct({ Name: text, Namespace: text });

/** `ResourceRequirements` of what has no claims: `VolumeResourceRequirements`. */
export const volumeResources: Fields = { Limits: quantities, Requests: quantities };

/** `metav1.LabelSelector`, behind a pointer. */
export const labelSelector: Printed = pointerTo(
  tagged({
    matchLabels: textMap,
    matchExpressions: listOf(tagged({ key: text, operator: text, values: nullable })),
  }),
);

/** `metav1.ObjectMeta`, without the fields that only the server sets. */
const objectMeta = tagged({
  name: nullable,
  generateName: nullable,
  namespace: nullable,
  labels: textMap,
  annotations: textMap,
  ownerReferences: nullable,
  finalizers: nullable,
});

/** A template: its metadata, embedded, and a spec. */
export function templateOf(spec: Printed): Printed {
  return (value) => {
    const template = (value ?? {}) as { metadata?: unknown; spec?: unknown };
    return { ...(objectMeta(template.metadata) as object), Spec: spec(template.spec) };
  };
}
