/** Which changes of a pod its namespace's policy wants to see. */
import type { Pod } from '../../../generated/types/core.v1.ts';
import type { Container, PodSpec } from './pod.ts';

const POD_SECCOMP = 'seccomp.security.alpha.kubernetes.io/pod';
const CONTAINER_SECCOMP = 'container.seccomp.security.alpha.kubernetes.io/';

/** Whether containers came or went, or run another image or by other rules (`isSignificantPodUpdate`): the rest of a pod never changes. */
export function isSignificantUpdate(pod: Pod, old: Pod): boolean {
  const annotation = ({ metadata }: Pod, key: string): string | undefined => metadata.annotations?.[key];
  const differ = (next: Container, before: Container | undefined): boolean => {
    const key = CONTAINER_SECCOMP + (next.name ?? '');
    return before === undefined || next.image !== before.image || annotation(pod, key) !== annotation(old, key);
  };
  const inOrder = (pick: (spec: PodSpec) => readonly Container[]): boolean => {
    const [next, before] = [pick(pod.spec as PodSpec), pick(old.spec as PodSpec)];
    return next.length !== before.length || next.some((container, i) => differ(container, before[i]));
  };
  const ephemeral = ({ spec }: Pod): Container[] => (spec?.ephemeralContainers ?? []) as unknown as Container[];
  return (
    annotation(pod, POD_SECCOMP) !== annotation(old, POD_SECCOMP) ||
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
