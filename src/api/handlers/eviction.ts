/** POST `pods/eviction`: a delete that asks the pod's disruption budget first. */
import { badRequest, failure, notFound, StatusError } from '../../apimachinery/errors.ts';
import { selects } from '../../apimachinery/labels.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { DeleteRequest, RequestOptions } from '../../durable-objects/rpc.ts';
import type { Pod } from '../../generated/types/core.v1.ts';
import type { PodDisruptionBudget } from '../../generated/types/policy.v1.ts';
import type { Resource } from '../../resources/resource.ts';
import type { CommitResult } from '../../store/types.ts';
import { admitSubresource } from '../admission/chain.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate, UNTABLED } from '../negotiation.ts';
import { decodeText, keyOf } from '../registry/encode.ts';
import { stillProcessed } from '../registry/evict.ts';
import { respond, unwrap } from '../respond.ts';
import { dryRunErrors, refuseOptions } from './options.ts';
import { requestKey, storeFor } from './read.ts';

/** So often a pod that changes under our eyes is looked at anew (`EvictionsRetry`). */
const ATTEMPTS = 20;

interface Eviction extends KubeObject {
  deleteOptions?: Partial<Omit<DeleteRequest, 'dryRun'>> & { dryRun?: string[] };
}

/** Deletes the pod with the options of the Eviction. Throws TooManyRequests where its budget allows none. */
export async function evict(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const accepted = negotiate(request, UNTABLED);
  const expected = { group: 'policy', version: 'v1', kind: 'Eviction' };
  const { object } = await decodeBody(request, expected, 'Warn');
  const { metadata, deleteOptions } = object as Eviction;
  const asked = [...url.searchParams.getAll('dryRun'), ...(deleteOptions?.dryRun ?? [])];
  refuseOptions(dryRunErrors(asked), 'CreateOptions');
  const dry = asked.length > 0;
  const options: RequestOptions = { fieldManager: '', fieldValidation: 'Ignore', dryRun: dry };
  await admitSubresource(context, resource, 'eviction', object, options);
  if (metadata.name !== info.name) throw badRequest('name in URL does not match name in Eviction object');
  await removePod(context, resource, { ...deleteOptions, dryRun: dry });
  return respond({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, accepted, 201);
}

async function removePod(context: Context, resource: Resource, options: DeleteRequest): Promise<void> {
  const store = storeFor(context, resource);
  const key = requestKey(context, resource);
  const ownVersion = options.preconditions?.resourceVersion;
  /** Deletes the pod, if it is still the one of that version; what the client asks for comes first. */
  const remove = (resourceVersion?: string): Promise<CommitResult> => {
    const preconditions = { ...options.preconditions };
    if (ownVersion === undefined && resourceVersion !== undefined) preconditions.resourceVersion = resourceVersion;
    return store.change(key, { do: 'evict', options: { ...options, preconditions } });
  };
  let pod = await read();
  for (let attempt = 1; disruptsNothing(pod); attempt++) {
    // Whether a pod has ended does not change any more; one that is pending may become ready.
    const result = await remove(hasEnded(pod) ? undefined : pod.metadata.resourceVersion);
    const again = isConflict(result) && ownVersion === undefined && attempt < ATTEMPTS;
    if (!again) return void unwrap(result);
    pod = await read();
  }
  const budget = await budgetOf(context, pod);
  const unguarded = budget === undefined || isUnguarded(pod, budget);
  if (!unguarded) await takeDisruption(context, budget, options.dryRun);
  // A pod that was let go because it is not ready must not have become so.
  const version = budget !== undefined && unguarded ? pod.metadata.resourceVersion : undefined;
  const result = await remove(version);
  if (budget !== undefined && version !== undefined && ownVersion === undefined && isConflict(result)) {
    throw stillProcessed(budget.metadata.name);
  }
  unwrap(result);

  async function read(): Promise<Pod> {
    const text = await store.get(key);
    if (text === null) throw notFound(resource, context.info.name);
    return decodeText<Pod>(text);
  }
}

const isConflict = (result: CommitResult): boolean => 'status' in result && result.status.reason === 'Conflict';

const hasEnded = ({ metadata, status }: Pod): boolean =>
  status?.phase === 'Succeeded' || status?.phase === 'Failed' || metadata.deletionTimestamp !== undefined;

/** Pods that no budget counts on (`canIgnorePDB`). */
const disruptsNothing = (pod: Pod): boolean => hasEnded(pod) || pod.status?.phase === 'Pending';

/** Whether a pod that is not ready may go without its budget losing a disruption, by the budget's policy. */
function isUnguarded({ status }: Pod, budget: PodDisruptionBudget): boolean {
  if (status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True')) return false;
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

async function takeDisruption(
  { info, around }: Context,
  { metadata }: PodDisruptionBudget,
  dryRun: boolean,
): Promise<void> {
  const store = around.store(info.cluster, 'policy/poddisruptionbudgets');
  unwrap(await store.change(keyOf(info.namespace, metadata.name), { do: 'disrupt', pod: info.name, dryRun }));
}

/** The budget that selects the pod, if any does. Throws where several do. */
async function budgetOf({ info, around }: Context, { metadata }: Pod): Promise<PodDisruptionBudget | undefined> {
  const store = around.store(info.cluster, 'policy/poddisruptionbudgets');
  const { items } = unwrap(await store.list({ prefix: `${info.namespace}/` }));
  const budgets = (JSON.parse(`[${items}]`) as PodDisruptionBudget[]).filter(({ spec }) =>
    selects(spec?.selector, metadata.labels),
  );
  if (budgets.length <= 1) return budgets[0];
  const message = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
  const { reason: _, ...status } = failure(500, '', message);
  throw new StatusError(status);
}
