/** What a scheduler of one name does: its plugins, their weights and arguments (`KubeSchedulerProfile`). */
import type { Enabled } from './framework/framework.ts';
import { defaultPlugins } from './plugins/index.ts';

export const SCHEDULER_NAME = 'default-scheduler';

export interface Profile {
  readonly schedulerName: string;
  readonly plugins: readonly Enabled[];
  /** 0: upstream's adaptive number. */
  readonly percentageOfNodesToScore: number;
}

/** Upstream's default profile. */
export function defaultProfile(): Profile {
  const plugins = defaultPlugins.map(({ name, factory, weight = 1 }) => ({
    name,
    factory,
    weight,
    args: {},
    off: new Set<string>(),
  }));
  return { schedulerName: SCHEDULER_NAME, plugins, percentageOfNodesToScore: 0 };
}
