import type { Resource } from '../resource.ts';
import { cronJob } from './cronjob.ts';
import { job } from './job.ts';

/** The resources of the group `batch`. */
export const batchResources: readonly Resource[] = [cronJob, job];
