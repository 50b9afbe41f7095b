/** What expressions about a request are evaluated with; worked out once, for all policies and webhooks that look at it. */
import type { Bindings } from '../../../apimachinery/cel/policy.ts';
import { toCel } from '../../../apimachinery/cel/values.ts';
import type { Json, JsonObject, KubeObject } from '../../../apimachinery/meta.ts';
import type { Resource } from '../../../resources/resource.ts';
import { authorizerOf } from './access.ts';
import { inVersionOf, namespaceNamed } from './match.ts';
import { admissionRequest, isNamespaces, type Review } from './review.ts';

const toValue = (object: KubeObject | undefined): unknown => toCel(object as unknown as Json | undefined);

/** The bindings of a review by the resource that was matched, but for parameters and variables. */
export class ReviewBindings {
  private readonly review: Review;
  private readonly known = new Map<Resource, Bindings>();
  private namespace: unknown;

  constructor(review: Review) {
    this.review = review;
  }

  /** Throws NotFound when the request's namespace has gone. */
  async for(matched: Resource): Promise<Bindings> {
    const known = this.known.get(matched);
    if (known !== undefined) return known;
    const { review } = this;
    const { options, ...request } = admissionRequest(review, matched);
    this.namespace ??= await this.namespaceObject();
    const { context, resource } = review;
    const seen = async (object: KubeObject | undefined): Promise<unknown> =>
      toValue(object === undefined ? undefined : await inVersionOf(context, matched, resource, object));
    const bindings = {
      object: await seen(review.object),
      oldObject: await seen(review.old),
      request: { ...request, options: toCel(options) },
      namespaceObject: this.namespace,
      authorizer: authorizerOf(review),
    };
    this.known.set(matched, bindings);
    return bindings;
  }

  private async namespaceObject(): Promise<unknown> {
    const { context, resource, namespace } = this.review;
    if (namespace === '' || isNamespaces(resource)) return null;
    const { metadata, spec, status } = (await namespaceNamed(context, namespace)) as KubeObject & JsonObject;
    return toCel({ metadata: metadata as unknown as Json, ...(spec && { spec }), ...(status && { status }) });
  }
}
