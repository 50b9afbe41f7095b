import type { PluginFactory } from '../framework/plugin.ts';

/** DefaultBinder: binds through the API, with others in one transaction. */
export const defaultBinder: PluginFactory = (handle) => ({
  name: 'DefaultBinder',
  async bind(_, { pod }, node) {
    const failure = await handle.bind(pod, node);
    return failure === undefined ? undefined : { code: 'Error', reasons: [failure.message ?? 'binding failed'] };
  },
});
