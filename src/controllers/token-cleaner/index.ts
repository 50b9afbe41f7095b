/** Deletes bootstrap tokens that have ended. */
import { BOOTSTRAP_TOKEN_TYPE, TOKEN_SECRET_PREFIX, tokenExpiry } from '../../apimachinery/bootstrap-token.ts';
import type { Secret } from '../../generated/types/core.v1.ts';
import type { Controller } from '../controller.ts';
import { deleteIfPresent } from '../objects.ts';

const NAMESPACE = 'kube-system';

/** Upstream's `token-cleaner-controller`; a key is a Secret's. */
export const tokenCleanerController: Controller = {
  name: 'token-cleaner-controller',
  watches: [
    {
      resource: 'core/secrets',
      keys: ({ type, namespace, name, key }) =>
        type !== 'DELETED' && namespace === NAMESPACE && name.startsWith(TOKEN_SECRET_PREFIX) ? [key] : [],
    },
  ],
  async reconcile(client, { namespace, name }, context) {
    const secret = await client.get<Secret>('core/secrets', namespace, name);
    if (secret?.type !== BOOTSTRAP_TOKEN_TYPE) return;
    const left = tokenExpiry(secret) - context.now();
    if (left === Number.POSITIVE_INFINITY) return;
    if (left > 0) return { requeueAfterMs: left };
    await deleteIfPresent(client, 'core/secrets', secret);
    return;
  },
};
