/** POST `pods/binding`: puts a pod on a node, once, after upstream's `assignPod`. */
import { badRequest, invalidObject } from '../../apimachinery/errors.ts';
import { notSupported, required } from '../../apimachinery/field.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { findResource } from '../../resources/index.ts';
import type { Resource } from '../../resources/resource.ts';
import { admitSubresource } from '../admission/chain.ts';
import { addTopologyLabels } from '../admission/pod-topology-labels.ts';
import type { Context } from '../context.ts';
import { decodeBody } from '../decode.ts';
import { negotiate, UNTABLED } from '../negotiation.ts';
import { decodeText } from '../registry/encode.ts';
import { respond, unwrap } from '../respond.ts';
import { requestOptions } from './options.ts';
import { requestKey, storeFor } from './read.ts';

interface Binding extends KubeObject {
  target?: { kind?: string; name?: string };
}

/** POST `bindings`, the way of old: the body says which pod. */
export async function bindByBody(context: Context): Promise<Response> {
  const pods = findResource('', 'v1', 'pods') as Resource;
  const copy = context.request.clone();
  const { object } = await decodeBody(copy as Request, { group: '', version: 'v1', kind: 'Binding' }, 'Ignore');
  const info = { ...context.info, resource: 'pods', name: object.metadata.name ?? '', subresource: 'binding' };
  return bind({ ...context, info }, pods);
}

/** Sets `spec.nodeName` and the PodScheduled condition. Throws Conflict for a pod that has a node, or is being deleted. */
export async function bind(context: Context, resource: Resource): Promise<Response> {
  const { request, url, info } = context;
  const options = requestOptions(url, request.headers.get('user-agent'), 'CreateOptions');
  const { object } = await decodeBody(request, { group: '', version: 'v1', kind: 'Binding' }, options.fieldValidation);
  const { target = {}, metadata } = object as Binding;
  if ((metadata.name ?? '') !== info.name) throw badRequest('name in URL does not match name in Binding object');
  validate(target, info.name);
  if (target.kind === 'Node') await addTopologyLabels(context, object, target.name as string);
  await admitSubresource(context, resource, 'binding', object, options);
  const result = await storeFor(context, resource).change(requestKey(context, resource), {
    do: 'bind',
    node: target.name as string,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    uid: metadata.uid,
    dryRun: options.dryRun,
  });
  decodeText(unwrap(result).text);
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
  return respond(status, negotiate(request, UNTABLED), 201);
}

function validate(target: NonNullable<Binding['target']>, name: string): void {
  const errors = [];
  if (target.kind !== undefined && target.kind !== '' && target.kind !== 'Node') {
    errors.push(notSupported('target.kind', target.kind, ['Node', '<empty>']));
  }
  if (!target.name) errors.push(required('target.name'));
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'Binding' }, name, errors);
}
