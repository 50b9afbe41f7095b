/** Subresources: those that are updates of the same object, and those that are something else. */
import { methodNotAllowed } from '../../apimachinery/errors.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { bind } from './binding.ts';
import { connectNode, connectPod, connectService } from './connect.ts';
import { evict } from './eviction.ts';
import type { Handler } from './handler.ts';
import { patch } from './patch.ts';
import { get } from './read.ts';
import { requestToken } from './token.ts';
import { update } from './write.ts';

/** Those that are not an update of their object, by resource and name. */
const SPECIAL: Record<string, Handler> = {
  'pods/binding': bind,
  'pods/eviction': evict,
  'serviceaccounts/token': requestToken,
  'pods/exec': connectPod,
  'pods/attach': connectPod,
  'pods/portforward': connectPod,
  'pods/log': connectPod,
  'pods/proxy': connectPod,
  'services/proxy': connectService,
  'nodes/proxy': connectNode,
};

const CHANGES: Record<string, Handler> = { get, update, patch };

/** The handler of the request's subresource; undefined where the resource has none of that name. */
export function subresourceHandler(context: Context, resource: Resource): Handler | undefined {
  const { info } = context;
  const subresource = resource.subresources?.find((s) => s.name === info.subresource);
  if (subresource === undefined) return undefined;
  const verbs: readonly string[] = subresource.verbs;
  const special = SPECIAL[`${resource.resource}/${info.subresource}`];
  // A proxy passes on what it gets.
  if (info.subresource !== 'proxy' && !verbs.includes(info.verb)) throw methodNotAllowed();
  return special ?? CHANGES[info.verb];
}
