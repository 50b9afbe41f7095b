/** Names of what an agent makes in the kernel: several agents may share a machine, each in a network namespace of its own. */
import { createHash } from 'node:crypto';

/** The node's pod bridge; no longer than the kernel allows (15). */
export function bridgeName(dataDir: string): string {
  return `zp-${createHash('sha256').update(dataDir).digest('hex').slice(0, 8)}`;
}

/** The nftables table that is ours. */
export const TABLE = 'zeroplane';
