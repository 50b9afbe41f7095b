/** Secrets that hold a ServiceAccount's token: filled when somebody makes one, and gone with their account. */

import type { Client } from '../../apimachinery/client.ts';
import { toBase64 } from '../../apimachinery/codec/base64.ts';
import { isReason } from '../../apimachinery/errors.ts';
import type { Secret, ServiceAccount } from '../../generated/types/core.v1.ts';
import { type Controller, itself, keyOf, untilNextCa } from '../controller.ts';

const TYPE = 'kubernetes.io/service-account-token';
const NAME = 'kubernetes.io/service-account.name';
const UID = 'kubernetes.io/service-account.uid';
const encoder = new TextEncoder();
const encoded = (text: string): string => toBase64(encoder.encode(text));

/** Upstream's `serviceaccount-token-controller`; a key is a Secret's. */
export const serviceAccountTokenController: Controller = {
  name: 'serviceaccount-token-controller',
  watches: [
    { resource: 'core/secrets', keys: (change) => (change.type === 'DELETED' ? [] : itself(change)) },
    {
      resource: 'core/serviceaccounts',
      keys: async ({ type, namespace, name }, client) =>
        type === 'MODIFIED'
          ? []
          : (await secretsOf(client, namespace))
              .filter(({ metadata }) => metadata.annotations?.[NAME] === name)
              .map(keyOf),
    },
  ],
  holdsRootCa: async (client) => (await secretsOf(client)).map(keyOf),
  async reconcile(client, { namespace, name }, context) {
    const secret = await client.get<Secret>('core/secrets', namespace, name);
    if (secret?.type !== TYPE || secret.metadata.deletionTimestamp !== undefined) return;
    const { annotations = {}, uid } = secret.metadata;
    const account = await client.get<ServiceAccount>('core/serviceaccounts', namespace, annotations[NAME] ?? '');
    const itsUid = account?.metadata.uid ?? '';
    const isAnothers = annotations[UID] !== undefined && annotations[UID] !== '' && annotations[UID] !== itsUid;
    if (account === undefined || isAnothers) {
      const preconditions = uid === undefined ? {} : { preconditions: { uid } };
      await client.delete('core/secrets', namespace, name, preconditions).catch(unlessGone);
      return;
    }
    const rootCa = await context.rootCa();
    const again = untilNextCa(rootCa, context);
    const ca = encoded(rootCa.bundle);
    const { data = {} } = secret;
    const isFilled = data['token'] && data['namespace'] && data['ca.crt'] === ca && annotations[UID] === itsUid;
    if (isFilled) return again;
    const request = { namespace, account: account.metadata.name, uid: itsUid, secret: name };
    const token = data['token'] || encoded(await context.secretToken(request));
    await client.update<Secret>('core/secrets', {
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...annotations, [UID]: itsUid } },
      data: { ...data, 'ca.crt': ca, namespace: encoded(namespace), token },
    });
    return again;
  },
};

/** Those of the type, in a namespace or in all. */
async function secretsOf(client: Client, namespace = ''): Promise<Secret[]> {
  const { items } = await client.list<Secret>('core/secrets', { namespace, fieldSelector: `type=${TYPE}` });
  return items;
}

function unlessGone(error: unknown): void {
  if (!isReason(error, 'NotFound') && !isReason(error, 'Conflict')) throw error;
}
