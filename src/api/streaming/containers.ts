/** Which container a stream is about. */
import { badRequest } from '../../apimachinery/errors.ts';
import type { Pod } from '../../generated/types/core.v1.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The container that was asked for, or the one that is meant when none was. Throws BadRequest in upstream's words. */
export function containerOf(pod: Pod, asked: string | null): string {
  const { spec, metadata } = pod;
  const names = (spec?.containers ?? []).map(({ name = '' }) => name);
  const others = [...(spec?.initContainers ?? []), ...(spec?.ephemeralContainers ?? [])].map(({ name = '' }) => name);
  if (asked !== null && asked !== '') {
    if (names.includes(asked) || others.includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${metadata.name}`);
  }
  if (names.length === 1) return names[0] as string;
  const annotated = metadata.annotations?.[DEFAULT_CONTAINER];
  if (annotated !== undefined && names.includes(annotated)) return annotated;
  throw badRequest(`a container name must be specified for pod ${metadata.name}, choose one of: [${names.join(' ')}]`);
}
