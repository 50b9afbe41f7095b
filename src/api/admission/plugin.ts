/** What an admission plugin is (`admission.MutationInterface`). */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';

/** A create before it is validated; `object` may be changed in place. */
export interface CreateAttributes {
  context: Context;
  resource: Resource;
  object: KubeObject;
  options: RequestOptions;
}

export interface AdmissionPlugin {
  /** Upstream's name. */
  name: string;
  /** Throws a StatusError to refuse. */
  admitCreate(attributes: CreateAttributes): void | Promise<void>;
}
