/** Node affinity, pod affinity and anti-affinity. */
import type {
  Affinity,
  NodeAffinity,
  PodAffinity,
  PodAffinityTerm,
  PreferredSchedulingTerm,
  WeightedPodAffinityTerm,
} from '../../../generated/types/core.v1.ts';
import { dns1123Label, topologyKey } from '../../validation/formats.ts';
import { each, fields, holds, present, type Rule } from '../../validation/rules.ts';
import { labelSelector, nodeSelector, nodeSelectorTerm } from '../../validation/selectors.ts';
import { labelKeys } from './label-keys.ts';

const inRange = holds<number>((weight) => weight > 0 && weight <= 100, 'must be in the range 1-100');
const weight: Rule<number | undefined> = (value, path, errors) => inRange(value ?? 0, path, errors);

const nodeAffinity = present(
  fields<NodeAffinity>({
    requiredDuringSchedulingIgnoredDuringExecution: present(nodeSelector),
    preferredDuringSchedulingIgnoredDuringExecution: each(
      fields<PreferredSchedulingTerm>({ weight, preference: nodeSelectorTerm }),
    ),
  }),
);

const termFields = fields<PodAffinityTerm>({
  labelSelector,
  namespaceSelector: labelSelector,
  topologyKey,
});

const podAffinityTerm: Rule<PodAffinityTerm | undefined> = (term = {}, path, errors) => {
  termFields(term, path, errors);
  // Upstream names the list of namespaces in the singular here.
  for (const namespace of term.namespaces ?? []) dns1123Label(namespace, `${path}.namespace`, errors);
  labelKeys(term, path, errors);
};

const podAffinity = present(
  fields<PodAffinity>({
    requiredDuringSchedulingIgnoredDuringExecution: each<PodAffinityTerm>(podAffinityTerm),
    preferredDuringSchedulingIgnoredDuringExecution: each(fields<WeightedPodAffinityTerm>({ weight, podAffinityTerm })),
  }),
);

/** `affinity` of a pod (`validateAffinity`). */
export const affinity: Rule<Affinity | undefined> = present(
  fields<Affinity>({ nodeAffinity, podAffinity, podAntiAffinity: podAffinity }),
);
