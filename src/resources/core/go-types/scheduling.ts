/** Internal types that say where a pod may run. */
import { all, listOf, nullable, number, type Printed, pointerTo, struct, text } from '../../validation/go-struct.ts';
import { labelSelector } from './shared.ts';

const requirements = listOf(struct({ ...all(text, 'Key', 'Operator'), Values: nullable }));
/** `NodeSelectorTerm`. */
export const nodeSelectorTerm = struct({ MatchExpressions: requirements, MatchFields: requirements });

/** `NodeSelector`, behind a pointer. */
export const nodeSelector = pointerTo(struct({ NodeSelectorTerms: listOf(nodeSelectorTerm) }));

const podAffinityTerm = struct({
  LabelSelector: labelSelector,
  Namespaces: nullable,
  TopologyKey: text,
  NamespaceSelector: labelSelector,
  MatchLabelKeys: nullable,
  MismatchLabelKeys: nullable,
});

const affinityOf = (required: Printed, preferred: Printed): Printed =>
  pointerTo(
    struct({
      RequiredDuringSchedulingIgnoredDuringExecution: required,
      PreferredDuringSchedulingIgnoredDuringExecution: listOf(preferred),
    }),
  );

const podAffinity = affinityOf(listOf(podAffinityTerm), struct({ Weight: number, PodAffinityTerm: podAffinityTerm }));

/** `Affinity`, behind a pointer. */
export const affinity = pointerTo(
  struct({
    NodeAffinity: affinityOf(nodeSelector, struct({ Weight: number, Preference: nodeSelectorTerm })),
    ...all(podAffinity, 'PodAffinity', 'PodAntiAffinity'),
  }),
);

/** `Toleration`. */
export const toleration = struct({ ...all(text, 'Key', 'Operator', 'Value', 'Effect'), TolerationSeconds: nullable });

/** `TopologySpreadConstraint`. */
export const topologySpreadConstraint = struct({
  MaxSkew: number,
  ...all(text, 'TopologyKey', 'WhenUnsatisfiable'),
  LabelSelector: labelSelector,
  ...all(nullable, 'MinDomains', 'NodeAffinityPolicy', 'NodeTaintsPolicy', 'MatchLabelKeys'),
});
