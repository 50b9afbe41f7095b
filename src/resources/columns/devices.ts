/** Columns of dynamic resource allocation. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { ResourceClaim, ResourceSlice } from '../../generated/types/resource.v1.ts';
import type { Column } from '../resource.ts';
import { age, erased, name, text } from './shared.ts';

function stateOf({ metadata, status }: ResourceClaim): string {
  const words: string[] = [];
  if (metadata.deletionTimestamp) words.push('deleted');
  if (status?.allocation != null) {
    words.push('allocated');
    if (status.reservedFor?.length) words.push('reserved');
  } else if (words.length === 0) {
    words.push('pending');
  }
  return words.join(',');
}

const resourceClaims: Column<ResourceClaim>[] = [name, text('State', stateOf), age];

const resourceSlices: Column<ResourceSlice>[] = [
  name,
  text('Node', ({ spec }) => spec?.nodeName ?? ''),
  text('Driver', ({ spec }) => spec?.driver ?? ''),
  text('Pool', ({ spec }) => spec?.pool?.name ?? ''),
  age,
];

export const deviceColumns: Record<string, Column<KubeObject>[]> = {
  'resource.k8s.io/deviceclasses': [name, age],
  'resource.k8s.io/resourceclaims': erased(resourceClaims),
  'resource.k8s.io/resourceclaimtemplates': [name, age],
  'resource.k8s.io/resourceslices': erased(resourceSlices),
};
