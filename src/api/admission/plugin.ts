/** What an admission plugin is (`admission.MutationInterface`, `admission.ValidationInterface`). */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { RequestOptions } from '../../durable-objects/rpc.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Requester } from '../context.ts';
import type { Reinvocation } from './hooks/reinvocation.ts';

/** What is known of a write before its object is. */
export interface Operation {
  context: Requester;
  resource: Resource;
  operation: 'CREATE' | 'UPDATE';
  /** Empty for the object itself. */
  subresource: string;
}

/** A write that is being judged; `admit` may change `object` in place. */
export interface Attributes extends Operation {
  object: KubeObject;
  /** What is there now; of an update only. */
  old?: KubeObject;
  options: RequestOptions;
  /** Of mutation. */
  reinvocation?: Reinvocation;
}

export interface AdmissionPlugin {
  /** Upstream's name. */
  name: string;
  /** Whether there may be something to say. An update that nobody asks for is worked out inside the store. */
  handles(operation: Operation): boolean;
  /** Before the object is prepared and validated. Throws a StatusError to refuse. */
  admit?(attributes: Attributes): void | Promise<void>;
  /** After the object was found valid. Throws a StatusError to refuse. */
  validate?(attributes: Attributes): void | Promise<void>;
}

/** What a refusal calls an object whose name is not made up yet (`extractResourceName`). */
export const nameOf = ({ metadata }: KubeObject): string => metadata.name || metadata.generateName || 'Unknown';

/** For {@link AdmissionPlugin.handles}: new objects of core resources. */
export const creates =
  (...resources: readonly string[]) =>
  ({ resource, operation, subresource }: Operation): boolean =>
    operation === 'CREATE' && subresource === '' && resource.group === '' && resources.includes(resource.resource);
