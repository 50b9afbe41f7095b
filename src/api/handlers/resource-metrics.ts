/** get and list of `metrics.k8s.io`. */
import { notFound } from '../../apimachinery/errors.ts';
import { formatApiVersion, type JsonObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../../resources/resource.ts';
import type { Context } from '../context.ts';
import { negotiate } from '../negotiation.ts';
import { transformList, transformObject } from '../printers/transform.ts';
import { nodeMetrics, podMetrics } from '../resource-metrics/metrics.ts';
import { metricsScope } from '../resource-metrics/node-summary.ts';
import { respond } from '../respond.ts';
import { listQuery } from './options.ts';

const METRICS = { nodes: nodeMetrics, pods: podMetrics };

/** Answers a request for metrics of pods or nodes. */
export async function metrics(context: Context, resource: Resource): Promise<Response> {
  const { info, url, request, around } = context;
  const accepted = negotiate(request);
  const scope = metricsScope(around, info.cluster);
  const make = METRICS[resource.resource as keyof typeof METRICS];
  if (info.verb === 'list') {
    const kind = { kind: `${resource.kind}List`, apiVersion: formatApiVersion(resource) };
    const listMeta: JsonObject = accepted.as === undefined ? {} : { resourceVersion: '' };
    const items = await make(scope, listQuery(resource, info, url));
    return respond(transformList(resource, items, listMeta, kind, accepted, url), accepted, 200, context.warnings);
  }
  const prefix = resource.namespaced ? `${info.namespace}/` : '';
  const [found] = await make(scope, { prefix, fieldSelector: `metadata.name=${info.name}` });
  if (found === undefined) {
    const shown = resource.namespaced ? `${info.namespace}/${info.name}` : info.name;
    throw notFound({ group: resource.group, resource: resource.kind.toLowerCase() }, shown);
  }
  return respond(transformObject(resource, found, accepted, url), accepted, 200, context.warnings);
}
