/** What all handlers are. */
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';

/** Answers a request for a resource; throws a StatusError otherwise. */
export type Handler = (context: Context, resource: Resource) => Promise<Response>;
