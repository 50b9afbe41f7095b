/** Ends what a node has left that did not end by itself: only what belongs to the given data folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { podCgroup, removePodCgroup } from '../../agent/kubelet/cgroups.ts';
import { unmountBelow } from '../../agent/kubelet/volumes/mount.ts';
import { bridgeName } from '../../agent/network/names.ts';
import { run } from '../../agent/network/run.ts';
import { paths } from '../../agent/paths.ts';
import { removeTable } from '../../agent/proxy/index.ts';

const CGROUPS = '/sys/fs/cgroup';
const GONE_MS = 30_000;

/** Ends every process that was started with a path in this folder, and the containers of the agents whose folders lie in it. */
export async function endRemains(folder: string): Promise<void> {
  if (process.platform !== 'linux' || !existsSync(folder)) return;
  await kill(() => processesNaming(folder));
  const agents = [folder, ...readdirSync(folder).map((name) => join(folder, name))].filter((dataDir) =>
    existsSync(paths(dataDir).pods),
  );
  const pods = agents.flatMap((dataDir) => readdirSync(paths(dataDir).pods));
  const cgroups = pods.flatMap((uid) =>
    (['Guaranteed', 'Burstable', 'BestEffort'] as const).flatMap((qos) =>
      ['.', ...readdirSync(CGROUPS)].map((hierarchy) => join(CGROUPS, hierarchy, podCgroup(qos, uid))),
    ),
  );
  await kill(() => [...new Set(cgroups.filter((path) => existsSync(path)).flatMap(processesBelow))]);
  for (const uid of pods) removePodCgroup(uid);
  await unmountBelow(folder);
  for (const dataDir of agents) if (await removeBridge(dataDir)) await removeTable().catch(() => {});
}

/** Whether the agent's bridge was still there, and with it its rules; one in another network namespace goes with that. */
async function removeBridge(dataDir: string): Promise<boolean> {
  return run('ip', ['link', 'del', bridgeName(dataDir)]).then(
    () => true,
    () => false,
  );
}

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

/** Agents, workerd, containerd and shims all have a file of their data folder among their arguments. */
function processesNaming(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) =>
      textOf(`/proc/${pid}/cmdline`)
        .split('\0')
        .some((argument) => argument.startsWith(`${folder}/`)),
    )
    .map(Number);
}

function processesBelow(cgroup: string): number[] {
  const own = textOf(join(cgroup, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...own, ...below.flatMap(({ name }) => processesBelow(join(cgroup, name)))];
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
