/** `/zeroplane/v1/keys`: the cluster's keys and how to change them, for who holds the deployment's secret. */
import { badRequest, methodNotAllowed } from '../../apimachinery/errors.ts';
import type { JsonObject } from '../../apimachinery/meta.ts';
import type { Encryption } from '../../store/encryption/keyring.ts';
import type { Surroundings } from '../context.ts';
import type { RequestInfo } from '../request-info.ts';
import { unwrap } from '../respond.ts';

/** Others may keep the public keys, or the CAs, for an hour: so long a new one is shown before it signs. */
const SHOWN_BEFORE_MS = 3600_000;
/** Every isolate of ours knows it after a second. */
const AT_ONCE_MS = 3000;

/**
 * GET: how all keys stand. POST: new ones, a new CA only for `?what=ca`, `?signs=now` without the hour's notice. DELETE of a signing key or
 * a CA: what it has signed is believed no longer.
 */
export async function keys(request: Request, info: RequestInfo, around: Surroundings, id = ''): Promise<JsonObject> {
  const cluster = around.cluster(info.cluster);
  const isWhole = id === '';
  if (request.method === 'POST' && isWhole) await rotate(request, info, around);
  else if (request.method === 'DELETE' && !isWhole) unwrap((await cluster.retireKey(id)) ?? {});
  else if (request.method !== 'GET' || !isWhole) throw methodNotAllowed();
  const [signing, authorities] = await Promise.all([cluster.keys(), cluster.authorities()]);
  const encryption = await encryptions(info, around, false);
  return {
    signing: signing.map((key) => ({ ...key })),
    authorities: authorities.map((one) => ({ ...one })),
    encryption: encryption.map((one) => ({ ...one })),
  };
}

async function rotate(request: Request, info: RequestInfo, around: Surroundings): Promise<void> {
  const query = new URL(request.url).searchParams;
  const what = query.get('what') ?? '';
  const signs = query.get('signs') ?? '';
  if (!['', 'signing', 'encryption', 'ca'].includes(what)) throw badRequest('what must be signing, encryption or ca');
  if (signs !== '' && signs !== 'now') throw badRequest('signs must be now, where it is given');
  const cluster = around.cluster(info.cluster);
  const afterMs = signs === 'now' ? AT_ONCE_MS : SHOWN_BEFORE_MS;
  if (what === '' || what === 'signing') await cluster.rotateSigningKey(afterMs);
  if (what === 'ca') await cluster.rotateAuthority(afterMs);
  if (what === '' || what === 'encryption') await encryptions(info, around, true);
}

/** Of the cluster's own keys and of every store that is encrypted. */
async function encryptions(
  { cluster }: RequestInfo,
  around: Surroundings,
  rotate: boolean,
): Promise<(Encryption & { of: string })[]> {
  const own = around.cluster(cluster).encryption(rotate);
  const stores = around.encryptedStores.map((id) => around.store(cluster, id).encryption(rotate));
  const found = await Promise.all([own, ...stores]);
  return found.flatMap((one, i) =>
    one === null ? [] : [{ of: i === 0 ? 'cluster' : (around.encryptedStores[i - 1] ?? ''), ...one }],
  );
}
