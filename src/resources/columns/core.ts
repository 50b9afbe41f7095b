/** Columns of the core group, but for pods, nodes, events and what is about networks and volumes. */
import { findCondition } from '../../apimachinery/conditions.ts';
import type { KubeObject } from '../../apimachinery/meta.ts';
import { canonical } from '../../apimachinery/quantity.ts';
import type {
  ComponentStatus,
  ConfigMap,
  Namespace,
  PodTemplate,
  ReplicationController,
  ResourceQuota,
  Secret,
} from '../../generated/types/core.v1.ts';
import type { Column } from '../resource.ts';
import { eventColumns } from './event.ts';
import { nodeColumns } from './node.ts';
import { podColumns } from './pod.ts';
import { age, containerColumns, createdAt, erased, formatLabels, integer, name, text, wide } from './shared.ts';

const sizeOf = (map: object | null | undefined): number => Object.keys(map ?? {}).length;

/** `name: used/hard` of every quota, limits apart from all else. */
function quotas({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((resource) => resource.startsWith('limits') === limits)
    .sort()
    .map((resource) => `${resource}: ${quantity(status?.used?.[resource])}/${quantity(status?.hard?.[resource])}`)
    .join(', ');
}

const quantity = (text: string | undefined): string => canonical(text ?? '0');

function healthOf({ conditions }: ComponentStatus): string {
  const healthy = findCondition(conditions, 'Healthy');
  return healthy === undefined ? 'Unknown' : healthy.status === 'True' ? 'Healthy' : 'Unhealthy';
}

const detail = ({ conditions }: ComponentStatus, field: 'message' | 'error'): string =>
  findCondition(conditions, 'Healthy')?.[field] ?? '';

const configMaps: Column<ConfigMap>[] = [
  name,
  text('Data', ({ data, binaryData }) => sizeOf(data) + sizeOf(binaryData)),
  age,
];

const secrets: Column<Secret>[] = [
  name,
  text('Type', ({ type }) => type ?? ''),
  text('Data', ({ data }) => sizeOf(data)),
  age,
];

const namespaces: Column<Namespace>[] = [name, text('Status', ({ status }) => status?.phase ?? ''), age];

const podTemplates: Column<PodTemplate>[] = [
  name,
  ...containerColumns<PodTemplate>(({ template }) => template?.spec?.containers).map((column) => ({
    ...column,
    priority: 0 as const,
  })),
  text('Pod Labels', ({ template }) => formatLabels(template?.metadata?.labels)),
];

const replicationControllers: Column<ReplicationController>[] = [
  name,
  integer('Desired', ({ spec }) => spec?.replicas ?? 0),
  integer('Current', ({ status }) => status?.replicas ?? 0),
  integer('Ready', ({ status }) => status?.readyReplicas ?? 0),
  age,
  ...containerColumns<ReplicationController>(({ spec }) => spec?.template?.spec?.containers),
  wide(text('Selector', ({ spec }) => formatLabels(spec?.selector))),
];

const resourceQuotas: Column<ResourceQuota>[] = [
  name,
  text('Request', (quota) => quotas(quota, false)),
  text('Limit', (quota) => quotas(quota, true)),
  age,
];

const componentStatuses: Column<ComponentStatus>[] = [
  name,
  text('Status', healthOf),
  text('Message', (status) => detail(status, 'message')),
  text('Error', (status) => detail(status, 'error')),
];

export const coreColumns: Record<string, Column<KubeObject>[]> = {
  'core/componentstatuses': erased(componentStatuses),
  'core/configmaps': erased(configMaps),
  'core/events': erased(eventColumns),
  'core/limitranges': [name, createdAt],
  'core/namespaces': erased(namespaces),
  'core/nodes': erased(nodeColumns),
  'core/pods': erased(podColumns),
  'core/podtemplates': erased(podTemplates),
  'core/replicationcontrollers': erased(replicationControllers),
  'core/resourcequotas': erased(resourceQuotas),
  'core/secrets': erased(secrets),
  'core/serviceaccounts': [name, age],
  'events.k8s.io/events': erased(eventColumns),
};
