import { groupVersion } from '../group.ts';

/** Completes the literals of the core group. */
export const core = groupVersion('', 'v1');
