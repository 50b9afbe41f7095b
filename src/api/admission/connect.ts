/** exec, attach, portforward and proxy before policies and webhooks: what they see are the request's options (upstream's `ConnectResource`). */
import type { JsonObject, KubeObject } from '../../apimachinery/meta.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { type Field, schemaFor } from '../../apimachinery/schema/index.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { isTrue } from '../request-info.ts';
import { hearsOf, validateReview } from './hooks/index.ts';
import { namespaceOf } from './hooks/review.ts';

/** Throws what the first refusal is; at once where nobody is to be asked. Nobody may change what is asked for. */
export function admitConnect(context: Context, resource: Resource): void | Promise<void> {
  const { name, namespace, subresource } = context.info;
  const operation = { context, resource, operation: 'CONNECT', subresource } as const;
  if (!hearsOf(operation)) return;
  return validateReview({
    ...operation,
    object: optionsOf(context, resource),
    name,
    namespace: namespaceOf(resource, namespace, name),
    dryRun: false,
  });
}

/** `PodExecOptions` and its like, read from the query; the path that a proxy passes on is the URL's own. */
function optionsOf({ info, url }: Context, resource: Resource): KubeObject {
  const apiVersion = formatApiVersion(resource);
  const kind = resource.subresources?.find(({ name }) => name === info.subresource)?.kind ?? '';
  const options: JsonObject = { kind, apiVersion };
  for (const [name, field] of schemaFor(apiVersion, kind)?.fields ?? []) {
    const value = name === 'path' ? pathOf(info.rest, url) : said(field, url.searchParams.getAll(name));
    if (value !== undefined) options[name] = value;
  }
  return options as unknown as KubeObject;
}

function pathOf(rest: string, url: URL): string | undefined {
  if (rest === '') return undefined;
  return `/${rest}${url.pathname.endsWith('/') ? '/' : ''}`;
}

/** Undefined for what was not said. */
function said({ kind, shape }: Field, given: readonly string[]): JsonObject[string] {
  const [first] = given;
  if (first === undefined) return undefined;
  if (shape === 'repeated') return kind === 'string' ? [...given] : given.map(Number).filter(Number.isInteger);
  if (kind === 'bool') return isTrue(first) || undefined;
  return first || undefined;
}
