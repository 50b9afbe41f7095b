/** DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or not reachable. */
import type { Pod } from '../../generated/types/core.v1.ts';
import { addDefaultTolerations } from '../../resources/core/pod-spec/default-tolerations.ts';
import { type AdmissionPlugin, creates } from './plugin.ts';

/** Updates are admitted by the strategy of pods, so that they are still worked out inside the store. */
export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  handles: creates('pods'),
  admit({ object }) {
    const pod = object as Pod;
    if (pod.spec !== undefined) addDefaultTolerations(pod.spec);
  },
};
