/** `metrics.k8s.io`: what nodes and pods use. Made when it is asked for, from what the nodes say; kept nowhere. */
import { addText } from '../../apimachinery/quantity.ts';
import type { NodeMetrics, PodMetrics } from '../../generated/types/metrics.v1beta1.ts';
import { groupVersion } from '../group.ts';
import type { Column, Resource } from '../resource.ts';

/** Quantities by resource. */
type Usage = Record<string, string>;

const metrics = groupVersion('metrics.k8s.io', 'v1beta1');

/** Columns as metrics-server has them: one for each resource that is measured. */
function columns<T extends NodeMetrics | PodMetrics>(usage: (object: T) => Usage): Column<T>[] {
  const quantity = (name: string): Column<T> => ({
    name,
    type: 'string',
    format: 'quantity',
    cell: (object) => usage(object)[name] ?? '',
  });
  return [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: 'Name of the resource',
      cell: ({ metadata }) => metadata.name,
    },
    quantity('cpu'),
    quantity('memory'),
    { name: 'Window', type: 'string', format: 'duration', cell: ({ window = '0s' }) => window },
  ];
}

function usageOfPod({ containers = [] }: PodMetrics): Usage {
  const total: Usage = {};
  for (const { usage = {} } of containers) {
    for (const [name, value] of Object.entries(usage)) total[name] = addText(total[name] ?? '0', value);
  }
  return total;
}

/** The resources of the group `metrics.k8s.io`. */
export const metricsResources: readonly Resource[] = [
  metrics<NodeMetrics>({
    resource: 'nodes',
    kind: 'NodeMetrics',
    namespaced: false,
    verbs: ['get', 'list'],
    computed: true,
    columns: columns<NodeMetrics>(({ usage = {} }) => usage),
  }),
  metrics<PodMetrics>({
    resource: 'pods',
    kind: 'PodMetrics',
    namespaced: true,
    verbs: ['get', 'list'],
    computed: true,
    columns: columns<PodMetrics>(usageOfPod),
  }),
];
