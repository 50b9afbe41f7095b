/** Printed columns of every built-in resource, as `kubectl get` shows them. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Column } from '../resource.ts';
import { workloadColumns } from './apps.ts';
import { controlColumns } from './control.ts';
import { coreColumns } from './core.ts';
import { deviceColumns } from './devices.ts';
import { networkColumns } from './networking.ts';
import { storageColumns } from './storage.ts';

export { defaultColumns } from './shared.ts';

/** By `<group>/<resource>`, the core group as `core`: `core/pods`, `apps/deployments`. */
export const columnsFor: Readonly<Record<string, readonly Column<KubeObject>[]>> = {
  ...coreColumns,
  ...workloadColumns,
  ...networkColumns,
  ...storageColumns,
  ...controlColumns,
  ...deviceColumns,
};
