/** Ends what is left of a node whose agent could not end it itself: only what belongs to the given network namespace or data folder. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { podCgroup, removePodCgroup } from '../../agent/kubelet/cgroups.ts';
import { unmountBelow } from '../../agent/kubelet/volumes/mount.ts';
import { paths } from '../../agent/paths.ts';

const CGROUPS = '/sys/fs/cgroup';
const GONE_MS = 5000;

const numbers = (text: string): number[] => text.split('\n').filter(Boolean).map(Number);

/** Kills processes and waits until they are gone. */
async function kill(pids: () => number[]): Promise<void> {
  const deadline = Date.now() + GONE_MS;
  for (let left = pids(); left.length > 0; left = pids()) {
    if (Date.now() > deadline) throw new Error(`processes ${left.join(', ')} could not be ended`);
    for (const pid of left) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has gone meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Ends every process in a network namespace: an agent, its containerd, their shims. Containers have namespaces of their own. */
export function endNamespace(netns: string): Promise<void> {
  return kill(() => numbers(execFileSync('ip', ['netns', 'pids', netns], { encoding: 'utf8' })));
}

/** Ends the containers of the agent with this data folder, and takes their mounts and cgroups away. */
export async function endContainers(dataDir: string): Promise<void> {
  const { pods } = paths(dataDir);
  const uids = existsSync(pods) ? readdirSync(pods) : [];
  const cgroups = uids.flatMap((uid) =>
    (['Guaranteed', 'Burstable', 'BestEffort'] as const).flatMap((qos) =>
      ['.', ...readdirSync(CGROUPS)].map((hierarchy) => join(CGROUPS, hierarchy, podCgroup(qos, uid))),
    ),
  );
  await kill(() => [...new Set(cgroups.filter((path) => existsSync(path)).flatMap(processesBelow))]);
  for (const uid of uids) removePodCgroup(uid);
  await unmountBelow(dataDir);
}

function processesBelow(cgroup: string): number[] {
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const own = numbers(readFileSync(join(cgroup, 'cgroup.procs'), 'utf8'));
  return [...own, ...below.flatMap(({ name }) => processesBelow(join(cgroup, name)))];
}
