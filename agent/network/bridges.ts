/** Bridges that agents leave behind: two with the same addresses take each other's packets. */
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

/** Removes empty bridges of agents that ran with another data folder and had the same `gateway`; answers with their names. */
export async function removeStaleBridges(own: string, gateway: string): Promise<string[]> {
  const removed: string[] = [];
  for (const { ifname = '', addr_info = [] } of await links('addr', 'show', 'type', 'bridge')) {
    if (!OURS.test(ifname) || ifname === own || !addr_info.some(({ local }) => local === gateway)) continue;
    if (await removeIfEmpty(ifname)) removed.push(ifname);
  }
  return removed;
}
