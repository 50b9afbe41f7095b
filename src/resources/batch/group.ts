import { groupVersion } from '../group.ts';

/** Completes the literals of the group `batch`. */
export const batch = groupVersion('batch', 'v1');
