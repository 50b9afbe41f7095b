/** Metrics that extension API servers serve: `custom.metrics.k8s.io`, `external.metrics.k8s.io`, and `metrics.k8s.io` where it is not built in. */
import type { Client } from '../../apimachinery/client.ts';
import type { APIService } from '../../generated/types/apiregistration.v1.ts';
import type { ExtensionCall } from '../controller.ts';
import { API_SERVICES, answerOf } from '../extensions.ts';

/** What is asked of a group-version, within a namespace. Empty parameters are left out. */
export interface Question {
  resource: string;
  namespace: string;
  name?: string;
  subresource?: string;
  query: Record<string, string>;
}

/** One value of a custom or an external metric; `window` in seconds, in one of two fields as the version has it. */
export interface MetricValue {
  describedObject?: { name?: string };
  timestamp?: string;
  value?: string;
  window?: number;
  windowSeconds?: number;
}

/** The APIService of the group that serves one of the versions and is preferred by its owner; undefined where there is none. */
export async function extensionOf(
  client: Client,
  group: string,
  versions: readonly string[],
): Promise<APIService | undefined> {
  const found = await Promise.all(
    versions.map((version) => client.get<APIService>(API_SERVICES, '', `${version}.${group}`)),
  );
  const handed = found.filter((service) => service?.spec?.service !== undefined) as APIService[];
  return handed.sort((a, b) => (b.spec?.versionPriority ?? 0) - (a.spec?.versionPriority ?? 0))[0];
}

/** The items of a list that an extension API server answers. Throws its refusal, or the words of upstream's client. */
export async function extensionItems<T>(read: ExtensionCall, service: APIService, asked: Question): Promise<T[]> {
  const { group = '', version = '' } = service.spec ?? {};
  const { resource, namespace, name = '', subresource = '', query } = asked;
  const place = ['apis', group, version, 'namespaces', namespace, resource, name, subresource].filter(Boolean);
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  const path = `/${place.map(encodeURIComponent).join('/')}${parameters && `?${parameters}`}`;
  const what = ['get', `${resource}.${group}`, name].filter(Boolean).join(' ');
  const answer = answerOf(await read(service, path), what);
  if (!Array.isArray(answer?.items)) throw new Error(`${group}/${version} did not return a list of metrics`);
  return answer.items.filter((item) => typeof item === 'object' && item !== null) as T[];
}
