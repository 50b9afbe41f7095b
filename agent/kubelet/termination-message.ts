/** What a container said at its end: its termination log, or the last of its output. */
import { open } from 'node:fs/promises';
import { ANNOTATIONS, type RuntimeContainer } from './pod-runtime.ts';

const MAX_MESSAGE = 4096;
const MAX_LOG = 2048;
const MAX_LINES = 80;

async function tail(path: string, bytes: number): Promise<string> {
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

/** At most 4096 bytes of the message file; 80 lines or 2048 bytes of the log where the policy says so. Empty for none. */
export async function terminationMessage(container: RuntimeContainer): Promise<string> {
  const path = container.annotations[ANNOTATIONS.messagePath] ?? '';
  const mount = container.mounts.find(({ containerPath }) => path !== '' && containerPath === path);
  const message = mount === undefined ? '' : await tail(mount.hostPath, MAX_MESSAGE);
  const fallBack = container.annotations[ANNOTATIONS.messagePolicy] === 'FallbackToLogsOnError';
  if (message !== '' || !fallBack || container.exitCode === 0) return message;
  const raw = await tail(container.logPath, MAX_LOG * 4);
  const lines = raw.split('\n').filter((line) => /^\S+ (?:stdout|stderr) [FP]/.test(line));
  const texts = lines.map((line) => {
    const [, , flag = '', ...rest] = line.split(' ');
    return rest.join(' ') + (flag === 'F' ? '\n' : '');
  });
  return texts.slice(-MAX_LINES).join('').slice(-MAX_LOG);
}
