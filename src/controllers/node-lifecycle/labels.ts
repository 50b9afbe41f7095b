/** The former names of a node's labels, which some selectors still use. */
import type { Client } from '../../apimachinery/client.ts';
import type { Node } from '../../generated/types/core.v1.ts';

const FORMER_NAMES: readonly [label: string, former: string][] = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
];

/** Gives labels to the node under their former names too (`reconcileNodeLabels`); answers whether it lacked any. */
export async function labelByFormerNames(client: Client, { metadata }: Node): Promise<boolean> {
  const { name, labels = {} } = metadata;
  const differ = FORMER_NAMES.filter(
    ([label, former]) => labels[label] !== undefined && labels[former] !== labels[label],
  );
  if (differ.length === 0) return false;
  const missing = Object.fromEntries(differ.map(([label, former]) => [former, labels[label] ?? '']));
  await client.patch('core/nodes', '', name, 'merge', { metadata: { labels: missing } });
  return true;
}
