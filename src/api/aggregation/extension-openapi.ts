/** OpenAPI v3 of extension API servers: their own documents, found by way of their own index. */
import type { Json } from '../../apimachinery/meta.ts';
import type { RemoteServiceFact } from '../../durable-objects/cluster-rpc.ts';
import type { Context } from '../context.ts';
import { extensionJson, remembered } from './extension-discovery.ts';
import { proxyToService } from './proxy.ts';

const pathOf = ({ group, version }: RemoteServiceFact): string => `apis/${group}/${version}`;

/** Paths of the documents that extensions have, with the hash that each gives of its own. Who does not answer has none. */
export async function extensionDocuments({ around, info, snapshot }: Context): Promise<Map<string, string>> {
  const found = await Promise.all(
    snapshot.remote.all.map(async (remote): Promise<[string, string][]> => {
      const ask = async (): Promise<Json> => {
        const { status, body } = await extensionJson(around, info.cluster, remote, '/openapi/v3');
        // Without OpenAPI v3 it is a good server still.
        if (body === null && status !== 404) throw new Error(`bad status from /openapi/v3: ${status}`);
        return hashIn(body, pathOf(remote));
      };
      const { found: hash } = await remembered(info.cluster, 'OpenAPI', remote, ask);
      return typeof hash === 'string' ? [[pathOf(remote), hash]] : [];
    }),
  );
  return new Map(found.flat());
}

/** The hash that an index gives for a document; null where it lists none. */
function hashIn(index: unknown, path: string): string | null {
  const { paths } = (index ?? {}) as { paths?: Record<string, { serverRelativeURL?: unknown } | null> };
  const url = paths?.[path]?.serverRelativeURL;
  return typeof url === 'string' ? (new URLSearchParams(url.split('?')[1] ?? '').get('hash') ?? '') : null;
}

/** The document, as its extension answers it; undefined where the path is none of an extension's. */
export function extensionDocument(context: Context, path: string): Promise<Response> | undefined {
  const remote = context.snapshot.remote.ofPath(`/${path}`);
  return remote !== undefined && path === pathOf(remote) ? proxyToService(context, remote) : undefined;
}
