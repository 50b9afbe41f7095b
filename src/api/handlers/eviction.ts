/** POST `pods/eviction`: a delete that asks first. Disruption budgets are not consulted yet. */
import { badRequest } from '../../apimachinery/errors.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { DeleteRequest } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate } from '../negotiation.ts';
import { nameOf } from '../registry/resource-name.ts';
import { respond, unwrap } from '../respond.ts';
import { dryRun } from './options.ts';
import { requestKey, storeFor } from './read.ts';

interface Eviction extends KubeObject {
  deleteOptions?: Partial<Omit<DeleteRequest, 'dryRun'>> & { dryRun?: string[] };
}

/** Deletes the pod with the options of the Eviction. */
export async function evict(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request);
  const expected = { group: 'policy', version: 'v1', kind: 'Eviction' };
  const { object } = await decodeBody(request, expected, 'Warn');
  const { metadata, deleteOptions } = object as Eviction;
  if (metadata.name !== undefined && metadata.name !== '' && metadata.name !== info.name) {
    throw badRequest(`name in URL does not match name in Eviction object: ${info.name} ${metadata.name}`);
  }
  const dry = dryRun([...url.searchParams.getAll('dryRun'), ...(deleteOptions?.dryRun ?? [])], 'CreateOptions');
  unwrap(
    await storeFor(context, resource).change(requestKey(context, resource), {
      do: 'delete',
      resource: nameOf(resource),
      options: { ...deleteOptions, dryRun: dry },
    }),
  );
  return respond({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, accepted, 201);
}
