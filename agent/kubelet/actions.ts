/** What to do next for a pod, from what it should be and what the runtime has (upstream's `computePodActions`). Pure. */
import { createHash } from 'node:crypto';
import type { Container, Pod } from '../../src/generated/types/core.v1.ts';
import { isSidecar } from './pod.ts';
import { ANNOTATIONS, type PodRuntime, type RuntimeContainer, readySandbox } from './pod-runtime.ts';

/** What probes say of a container, by its id. */
export interface Health {
  liveness(id: string): boolean;
  /** True where there is no startup probe; undefined while it is not decided, false when it has failed for good. */
  startup(id: string): boolean | undefined;
}

export interface Kill {
  container: Container;
  id: string;
  message: string;
  /** A probe's own grace period, in seconds. */
  gracePeriod: number | undefined;
}

export interface Actions {
  /** The pod is done: stop its sandbox and whatever still runs. */
  finish: boolean;
  /** Make a new sandbox; what runs in the old one is killed first. */
  createSandbox: boolean;
  kill: Kill[];
  start: Container[];
}

/** Changes when the container must be replaced: its name or image. */
export function containerHash(container: Container): string {
  return createHash('sha256').update(`${container.name}\0${container.image}`).digest('hex').slice(0, 8);
}

/** Whether a container that has ended as `latest` says is to be started again. */
export function shouldRestart(pod: Pod, container: Container, latest: RuntimeContainer | undefined): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (latest === undefined || latest.state !== 'CONTAINER_EXITED') return latest?.state !== 'CONTAINER_RUNNING';
  const rule = (container.restartPolicyRules ?? []).find(({ exitCodes }) => {
    const listed = exitCodes?.values?.includes(latest.exitCode) === true;
    return exitCodes?.operator === 'NotIn' ? !listed : listed;
  });
  if (rule?.action === 'Restart') return true;
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && latest.exitCode !== 0);
}

/** The next steps. Idempotent: nothing to do gives empty lists. `resized` are the containers whose resize asks for a new start. */
export function computeActions(
  pod: Pod,
  runtime: PodRuntime,
  health: Health,
  resized: ReadonlySet<string> = new Set(),
): Actions {
  const actions = ownActions(pod, runtime, health, resized);
  if (actions.finish || actions.createSandbox) return actions;
  // Ephemeral containers wait for nobody, and run once.
  const fresh = (pod.spec?.ephemeralContainers ?? []).filter(({ name = '' }) => !runtime.containers.has(name));
  return { ...actions, start: [...fresh, ...actions.start] };
}

/** The next steps for what the pod itself is made of. */
function ownActions(pod: Pod, runtime: PodRuntime, health: Health, resized: ReadonlySet<string>): Actions {
  const actions: Actions = { finish: false, createSandbox: false, kill: [], start: [] };
  const sandbox = readySandbox(runtime);
  const main = pod.spec?.containers ?? [];
  const latest = (container: Container): RuntimeContainer | undefined =>
    runtime.containers.get(container.name ?? '')?.[0];
  const pending = main.filter((container) => shouldRestart(pod, container, latest(container)));
  const hasIp = pod.spec?.hostNetwork === true || (sandbox?.network?.ip ?? '') !== '';
  if (sandbox === undefined || !hasIp) {
    const everRan = runtime.sandboxes.length > 0 && runtime.containers.size > 0;
    const dead = main.every((container) => latest(container)?.state !== 'CONTAINER_RUNNING');
    if ((pod.spec?.restartPolicy === 'Never' && everRan) || (dead && pending.length === 0)) {
      actions.finish = true;
    } else {
      actions.createSandbox = true;
    }
    return actions;
  }
  const current = (container: Container): RuntimeContainer | undefined => {
    const found = latest(container);
    return found?.podSandboxId === sandbox.id ? found : undefined;
  };
  const initialized = main.some((container) => current(container) !== undefined);
  if (!initialize(pod, actions, current, health, initialized, resized)) return actions;
  let kept = 0;
  for (const container of main) {
    const now = latest(container);
    if (now?.state !== 'CONTAINER_RUNNING') {
      if (pending.includes(container)) actions.start.push(container);
      continue;
    }
    const kill = unhealthy(pod, container, now, health);
    if (kill !== undefined) actions.kill.push(kill);
    else if (resized.has(container.name ?? '')) restart(actions, container, now);
    else kept++;
  }
  if (kept === 0 && actions.kill.length === 0 && actions.start.length === 0) actions.finish = true;
  // A pod that is done needs its sidecars no more.
  if (actions.finish) actions.start = [];
  return actions;
}

/** Init containers one after the other. Answers whether the main containers may run. */
function initialize(
  pod: Pod,
  actions: Actions,
  current: (container: Container) => RuntimeContainer | undefined,
  health: Health,
  initialized: boolean,
  resized: ReadonlySet<string>,
): boolean {
  for (const container of pod.spec?.initContainers ?? []) {
    const now = current(container);
    const running = now?.state === 'CONTAINER_RUNNING';
    if (isSidecar(container)) {
      if (now !== undefined && running) {
        const kill = unhealthy(pod, container, now, health);
        if (kill !== undefined) actions.kill.push(kill);
        else if (resized.has(container.name ?? '')) restart(actions, container, now);
        else if (initialized || health.startup(now.id) === true) continue;
        if (!initialized) return false;
      } else {
        actions.start.push(container);
        if (!initialized) return false;
      }
    } else if (!initialized) {
      if (running) return false;
      if (now?.state === 'CONTAINER_EXITED') {
        if (now.exitCode === 0) continue;
        if (!shouldRestart(pod, container, now)) {
          actions.finish = true;
          actions.start = [];
          return false;
        }
      }
      actions.start.push(container);
      return false;
    }
  }
  return true;
}

/** Started again in the same step whatever its policy says of containers that end, and without a back-off: it has not failed. */
function restart(actions: Actions, container: Container, { id }: RuntimeContainer): void {
  const message = `Container ${container.name} resize requires restart`;
  actions.kill.push({ container, id, message, gracePeriod: undefined });
  actions.start.push(container);
}

function unhealthy(pod: Pod, container: Container, now: RuntimeContainer, health: Health): Kill | undefined {
  const name = container.name ?? '';
  const kill = (why: string, probe?: { terminationGracePeriodSeconds?: number }): Kill => {
    const restarted = shouldRestart(pod, container, { ...now, state: 'CONTAINER_EXITED', exitCode: 137 });
    return {
      container,
      id: now.id,
      message: `Container ${name} ${why}${restarted ? ', will be restarted' : ''}`,
      gracePeriod: probe?.terminationGracePeriodSeconds,
    };
  };
  const hash = now.annotations[ANNOTATIONS.hash];
  if (hash !== undefined && hash !== containerHash(container)) return kill('definition changed');
  if (!health.liveness(now.id)) return kill('failed liveness probe', container.livenessProbe);
  if (health.startup(now.id) === false) return kill('failed startup probe', container.startupProbe);
  return undefined;
}
