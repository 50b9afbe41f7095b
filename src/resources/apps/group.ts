import { groupVersion } from '../group.ts';

/** Completes the literals of the group `apps`. */
export const apps = groupVersion('apps', 'v1');
