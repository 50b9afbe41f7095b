/** Processes that outlive a launcher that was killed: each is written down, so that the next launcher finds it. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What a launcher starts. */
export type Part = 'workerd' | 'agent';

const fileOf = (data: string, part: Part): string => join(data, `${part}.pid`);

/** Writes down that a process is the data folder's workerd or agent. */
export async function record(data: string, part: Part, pid: number): Promise<void> {
  await writeFile(fileOf(data, part), `${pid} ${await startTime(pid)}`);
}

/** It has ended as it should. */
export async function forget(data: string, part: Part): Promise<void> {
  await rm(fileOf(data, part), { force: true });
}

/** Ends what a launcher that was killed has left in the data folder, at once: the agent's pods are not to be stopped with it. */
export async function endLeftovers(data: string): Promise<void> {
  await Promise.all((['workerd', 'agent'] as const).map((part) => endLeftover(fileOf(data, part))));
}

async function endLeftover(file: string): Promise<void> {
  const [pid, started] = (await readFile(file, 'utf8').catch(() => '')).split(' ');
  if (!pid || !started || (await startTime(Number(pid))) !== started) return;
  process.kill(Number(pid), 'SIGKILL');
  for (let i = 0; i < 100 && (await startTime(Number(pid))) === started; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** When a process began, in the kernel's own count; tells a process from a later one with its id. Empty when it is gone. */
async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
