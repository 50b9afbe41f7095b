/** Facts about this machine: capacity, versions, pressure. */
import { existsSync, readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, availableParallelism, freemem, networkInterfaces, release, totalmem } from 'node:os';

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** Go's name of the architecture. */
export function goArch(): string {
  const names: Record<string, string> = { x64: 'amd64', ia32: '386' };
  return names[arch()] ?? arch();
}

export interface MachineInfo {
  machineID: string;
  systemUUID: string;
  bootID: string;
  kernelVersion: string;
  osImage: string;
}

/** What `kubectl describe node` shows as System Info. */
export function machineInfo(): MachineInfo {
  const machineID = read('/etc/machine-id') || read('/var/lib/dbus/machine-id');
  const osRelease = /^PRETTY_NAME="?([^"\n]*)"?/m.exec(read('/etc/os-release'));
  return {
    machineID,
    systemUUID: existsSync('/sys/class/dmi/id/product_uuid') ? read('/sys/class/dmi/id/product_uuid') : machineID,
    bootID: read('/proc/sys/kernel/random/boot_id'),
    kernelVersion: release(),
    osImage: osRelease?.[1] ?? 'Linux',
  };
}

export interface Capacity {
  /** Cores. */
  cpu: number;
  /** Bytes. */
  memory: number;
  'ephemeral-storage': number;
  pods: number;
}

/** What the machine has to give; `dataDir` says on which disk. */
export async function capacity(dataDir: string): Promise<Capacity> {
  const { blocks, bsize } = await statfs(dataDir);
  return { cpu: availableParallelism(), memory: totalmem(), 'ephemeral-storage': blocks * bsize, pods: 110 };
}

export interface Pressure {
  memory: boolean;
  disk: boolean;
  pid: boolean;
}

/** Upstream's eviction thresholds: under 100 MiB of memory, 10 % of disk, 5 % of inodes, or the process limit in sight. */
export async function pressure(dataDir: string): Promise<Pressure> {
  const available = /^MemAvailable:\s+(\d+) kB/m.exec(read('/proc/meminfo'));
  const memory = available === null ? freemem() : Number(available[1]) * 1024;
  const { blocks, bavail, files, ffree } = await statfs(dataDir);
  const processes = Number(/\/(\d+) /.exec(read('/proc/loadavg'))?.[1] ?? '0');
  const limit = Number(read('/proc/sys/kernel/pid_max')) || 32_768;
  return {
    memory: memory < 100 * 1024 * 1024,
    disk: bavail / blocks < 0.1 || (files > 0 && ffree / files < 0.05),
    pid: processes > limit * 0.95,
  };
}

/** The machine's first address that others can reach; undefined when it has none. */
export function ownAddress(): string | undefined {
  const entries = Object.entries(networkInterfaces())
    .filter(([name]) => !/^(?:lo|cni|veth|docker|flannel|cali|zp)/.test(name))
    .flatMap(([, addresses]) => addresses ?? []);
  return entries.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
