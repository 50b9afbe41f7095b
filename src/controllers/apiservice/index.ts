/** Whether what an APIService names can be reached. */
import type { Client } from '../../apimachinery/client.ts';
import { withCondition } from '../../apimachinery/conditions.ts';
import type { APIService, APIServiceCondition } from '../../generated/types/apiregistration.v1.ts';
import type { Service } from '../../generated/types/core.v1.ts';
import type { EndpointSlice } from '../../generated/types/discovery.v1.ts';
import { type Controller, type DiscoveryProbe, itself, type ObjectChange, type Requeue } from '../controller.ts';
import { patchStatus } from '../objects.ts';

const API_SERVICES = 'apiregistration.k8s.io/apiservices';
const FAILED = 'FailedDiscoveryCheck';
/** Who answers today may not do so for ever, and nobody tells when that ends. */
const RESYNC_MS = 30_000;
const RETRY_MS = 1000;
const SERVICE_NAME = 'kubernetes.io/service-name';

interface Availability {
  status: 'True' | 'False';
  reason: string;
  message: string;
}

const unavailable = (reason: string, message: string): Availability => ({ status: 'False', reason, message });

/** Upstream's `remote_available_controller` and `local_available_controller`. */
async function availabilityOf(client: Client, apiService: APIService, probe: DiscoveryProbe): Promise<Availability> {
  const target = apiService.spec?.service;
  if (target === undefined) {
    return { status: 'True', reason: 'Local', message: 'Local APIServices are always available' };
  }
  const { namespace = '', name = '', port = 443 } = target;
  const where = `service/${name} in ${JSON.stringify(namespace)}`;
  const service = await client.get<Service>('core/services', namespace, name);
  if (service === undefined) return unavailable('ServiceNotFound', `${where} is not present`);
  if (service.spec?.type === 'ExternalName') return discovered(apiService, service, probe);
  const found = service.spec?.ports?.find((other) => other.port === port);
  if (found === undefined) return unavailable('ServicePortError', `${where} is not listening on port ${port}`);
  const labelSelector = `${SERVICE_NAME}=${name}`;
  const slices = await client.list<EndpointSlice>('discovery.k8s.io/endpointslices', { namespace, labelSelector });
  if (slices.items.length === 0) {
    return unavailable('EndpointsNotFound', `cannot find endpointslices for ${where}`);
  }
  const ready = slices.items.some(
    ({ ports, endpoints }) =>
      ports?.some((other) => (other.name ?? '') === (found.name ?? '')) &&
      endpoints?.some(({ conditions }) => conditions?.ready !== false),
  );
  if (!ready) {
    const portName = found.name ?? '';
    return unavailable(
      'MissingEndpoints',
      `endpointslices for ${where} have no addresses with port name ${JSON.stringify(portName)}`,
    );
  }
  return discovered(apiService, service, probe);
}

/** What looks reachable must answer, too. */
async function discovered(apiService: APIService, { spec }: Service, probe: DiscoveryProbe): Promise<Availability> {
  const { group = '', version = '', service } = apiService.spec ?? {};
  const host = spec?.type === 'ExternalName' ? spec.externalName : spec?.clusterIP;
  const url = `https://${host}:${service?.port ?? 443}/apis/${group}/${version}`;
  const said = await probe(apiService);
  if ('status' in said && said.status >= 200 && said.status < 300) {
    return { status: 'True', reason: 'Passed', message: 'all checks passed' };
  }
  const why = 'status' in said ? `bad status from ${url}: ${said.status}` : `Get ${JSON.stringify(url)}: ${said.error}`;
  return unavailable(FAILED, `failing or missing response from ${url}: ${why}`);
}

/** When to ask again: half a minute after a success, after a failure as long as it has lasted already, within bounds. */
function askAgain(conditions: readonly APIServiceCondition[], now: number): Requeue {
  const { status, lastTransitionTime = '' } = conditions.find(({ type }) => type === 'Available') ?? {};
  if (status === 'True') return { requeueAfterMs: RESYNC_MS };
  return { requeueAfterMs: Math.min(Math.max(now - Date.parse(lastTransitionTime), RETRY_MS), RESYNC_MS) };
}

/** The APIServices whose Service has changed. */
async function servedBy({ namespace }: ObjectChange, name: string, client: Client): Promise<string[]> {
  if (name === '') return [];
  const { items } = await client.list<APIService>(API_SERVICES);
  return items
    .filter(({ spec }) => spec?.service?.namespace === namespace && spec.service.name === name)
    .map(({ metadata }) => metadata.name);
}

/** The condition `Available`; a key is an APIService's name. */
export const apiServiceController: Controller = {
  name: 'available-controller',
  partOf: 'kube-apiserver',
  fieldManager: 'kube-apiserver',
  watches: [
    { resource: API_SERVICES, keys: itself },
    { resource: 'core/services', keys: (change, client) => servedBy(change, change.name, client) },
    {
      resource: 'discovery.k8s.io/endpointslices',
      async keys(change, client) {
        const slice = await change.object();
        return servedBy(change, slice?.metadata.labels?.[SERVICE_NAME] ?? '', client);
      },
    },
  ],
  async reconcile(client, { name }, context) {
    const service = await client.get<APIService>(API_SERVICES, '', name);
    if (service === undefined || service.metadata.deletionTimestamp !== undefined) return;
    const availability = { type: 'Available', ...(await availabilityOf(client, service, context.probeDiscovery)) };
    const conditions = withCondition(service.status?.conditions, availability, context.now());
    await patchStatus(client, API_SERVICES, service, { ...service.status, conditions });
    const isAsked = availability.reason === 'Passed' || availability.reason === FAILED;
    return isAsked ? askAgain(conditions, context.now()) : undefined;
  },
};
