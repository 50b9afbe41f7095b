/** postStart and preStop hooks. */
import type { Container, LifecycleHandler } from '../../src/generated/types/core.v1.ts';
import { delay } from '../informer.ts';
import type { CriClient } from '../runtime/cri.ts';
import { actionUrl, headersOf, httpGet } from './probes/http.ts';

const HTTP_TIMEOUT_MS = 30_000;

/** Runs a hook in or against the container; throws when it fails. `timeoutSeconds` 0 means as long as it takes. */
export async function runHook(
  handler: LifecycleHandler,
  target: { cri: CriClient; container: Container; id: string; podIp: string; timeoutSeconds: number },
): Promise<void> {
  const { cri, container, id, podIp, timeoutSeconds } = target;
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const { exitCode, stdout, stderr } = await cri.execSync(id, command, timeoutSeconds);
    if (exitCode === 0) return;
    const output = Buffer.concat([stdout, stderr]).toString('utf8').slice(0, 1024);
    throw new Error(`command '${command.join(' ')}' exited with ${exitCode}: ${output}`);
  }
  if (handler.httpGet) {
    const url = actionUrl(container, handler.httpGet, podIp);
    const timeoutMs = timeoutSeconds > 0 ? timeoutSeconds * 1000 : HTTP_TIMEOUT_MS;
    await httpGet(url, headersOf(handler.httpGet), timeoutMs);
    return;
  }
  if (handler.sleep) await delay((handler.sleep.seconds ?? 0) * 1000);
}
