/** Which changes of a pod its namespace's policy wants to see. */
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { Container, PodSpec } from './pod.ts';

/** Whether containers came or went, or run another image (`isSignificantPodUpdate`): what is judged of the rest never changes. */
export function isSignificantUpdate(pod: Pod, old: Pod): boolean {
  const differ = (next: Container, before: Container | undefined): boolean => next.image !== before?.image;
  const inOrder = (pick: (spec: PodSpec) => readonly Container[]): boolean => {
    const [next, before] = [pick(pod.spec as PodSpec), pick(old.spec as PodSpec)];
    return next.length !== before.length || next.some((container, i) => differ(container, before[i]));
  };
  const ephemeral = ({ spec }: Pod): Container[] => (spec?.ephemeralContainers ?? []) as unknown as Container[];
  return (
    inOrder(({ containers }) => containers ?? []) ||
    inOrder(({ initContainers }) => initContainers ?? []) ||
    ephemeral(pod).some((one) =>
      differ(
        one,
        ephemeral(old).find(({ name }) => name === one.name),
      ),
    )
  );
}
