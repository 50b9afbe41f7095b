import type { PluginFactory } from '../framework/plugin.ts';
import { failed } from '../framework/status.ts';

/** DefaultBinder: binds through the API, with others in one transaction; or has an extender do it that wants to. */
export const defaultBinder: PluginFactory = (handle) => ({
  name: 'DefaultBinder',
  async bind(_, { pod }, node) {
    const extender = handle.extenders.find((one) => one.binds && one.isInterested(pod));
    if (extender !== undefined) return extender.bind(pod, node).then(() => undefined, failed);
    const failure = await handle.bind(pod, node);
    return failure === undefined ? undefined : { code: 'Error', reasons: [failure.message ?? 'binding failed'] };
  },
});
