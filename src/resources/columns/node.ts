/** Columns of nodes. */
import { findCondition } from '../../apimachinery/conditions.ts';
import type { Node } from '../../generated/types/core.v1.ts';
import type { Column } from '../resource.ts';
import { age, NONE, name, text, UNKNOWN, wide } from './shared.ts';

function statusOf({ spec, status }: Node): string {
  const ready = findCondition(status?.conditions, 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'];
  if (spec?.unschedulable) words.push('SchedulingDisabled');
  return words.join(',');
}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

function rolesOf({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key !== ROLE_PREFIX) roles.add(key.slice(ROLE_PREFIX.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(value);
  }
  return [...roles].sort().join(',') || NONE;
}

const address = ({ status }: Node, type: string): string =>
  status?.addresses?.find((candidate) => candidate.type === type)?.address ?? NONE;

function kernelOf({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {};
  if (!kernelVersion) return UNKNOWN;
  return architecture ? `${kernelVersion} (${architecture})` : kernelVersion;
}

export const nodeColumns: readonly Column<Node>[] = [
  name,
  text('Status', statusOf),
  text('Roles', rolesOf),
  age,
  text('Version', ({ status }) => status?.nodeInfo?.kubeletVersion ?? ''),
  wide(text('Internal-IP', (node) => address(node, 'InternalIP'))),
  wide(text('External-IP', (node) => address(node, 'ExternalIP'))),
  wide(text('OS-Image', ({ status }) => status?.nodeInfo?.osImage || UNKNOWN)),
  wide(text('Kernel-Version', kernelOf)),
  wide(text('Container-Runtime', ({ status }) => status?.nodeInfo?.containerRuntimeVersion || UNKNOWN)),
];
