/** Pod bridges: the one of the agent that has this network, and what other agents have left. Two with the same addresses take each other's packets. */
import { run } from './run.ts';

const OURS = /^zp-[0-9a-f]{8}$/;

interface Link {
  ifname?: string;
  addr_info?: { local?: string }[];
}

async function links(...args: string[]): Promise<Link[]> {
  return JSON.parse((await run('ip', ['-j', ...args])) || '[]') as Link[];
}

/** Removes a bridge that no pod hangs on; whether it did. The runtime makes it again with the next pod. */
export async function removeIfEmpty(bridge: string): Promise<boolean> {
  try {
    if ((await links('link', 'show', 'master', bridge)).some(({ ifname }) => ifname !== undefined)) return false;
    await run('ip', ['link', 'del', bridge]);
    return true;
  } catch {
    // There is no such bridge.
    return false;
  }
}

/**
 * Gives the addresses of this network to the bridge `own`, if there is one: `address` is its gateway with the length of its prefix
 * (`10.244.3.1/24`). Bridges that agents with other data folders left are removed when they are empty; one with pods, which may still
 * run without their agent, loses its addresses until that agent is back. Answers with the names of both kinds.
 */
export async function takeOverBridges(
  own: string,
  address: string,
): Promise<{ removed: string[]; silenced: string[] }> {
  const removed: string[] = [];
  const silenced: string[] = [];
  const bridges = await links('addr', 'show', 'type', 'bridge');
  const hasAddress = ({ addr_info = [] }: Link): boolean => addr_info.some(({ local }) => local !== undefined);
  for (const bridge of bridges) {
    const { ifname = '' } = bridge;
    if (!OURS.test(ifname) || ifname === own) continue;
    if (await removeIfEmpty(ifname)) removed.push(ifname);
    else if (hasAddress(bridge)) {
      await run('ip', ['addr', 'flush', 'dev', ifname]);
      silenced.push(ifname);
    }
  }
  const mine = bridges.find(({ ifname }) => ifname === own);
  if (mine !== undefined && !hasAddress(mine)) await run('ip', ['addr', 'add', address, 'dev', own]);
  return { removed, silenced };
}
