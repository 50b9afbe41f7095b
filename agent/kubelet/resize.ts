/** In-place resizes of one pod: what it is given of what it asks for, and how far that has come. */
import { findCondition } from '../../src/apimachinery/conditions.ts';
import { now } from '../../src/apimachinery/meta.ts';
import { canonical } from '../../src/apimachinery/quantity.ts';
import type { Container, Pod, PodCondition, ResourceRequirements } from '../../src/generated/types/core.v1.ts';
import type { Refusal } from './admission.ts';
import {
  type Allocation,
  fullAllocation,
  loadAllocation,
  resourcesOf,
  samePodResources,
  saveAllocation,
  withResources,
} from './allocation.ts';
import { RESIZE_CONDITIONS } from './conditions.ts';
import type { EventRecorder } from './events.ts';
import { rpcText } from './images.ts';
import type { PodRuntime } from './pod-runtime.ts';
import { actuate, needRestart, type ResizeMachine } from './resize-actuation.ts';

export interface ResizeDeps {
  events: Pick<EventRecorder, 'record'>;
  machine: ResizeMachine;
  /** Why the pod does not fit; `reason` is Infeasible where it never will. */
  refuse: (pod: Pod) => Refusal | undefined;
  /** Room has come free that a deferred resize may want. */
  onFreed: () => void;
}

export class PodResizer {
  readonly #deps: ResizeDeps;
  readonly #folder: string;
  #allocation: Allocation | undefined;
  #pending: PodCondition | undefined;
  #inProgress: PodCondition | undefined;

  /** `folder` is the pod's own; what it was given is kept there, and goes with it. */
  constructor(deps: ResizeDeps, folder: string) {
    this.#deps = deps;
    this.#folder = folder;
  }

  /** The pod is given all that it asks for: it has just been admitted. */
  admit(pod: Pod): void {
    this.#keep(fullAllocation(pod));
  }

  /** Whether the pod waits for room. */
  get deferred(): boolean {
    return this.#pending?.reason === 'Deferred';
  }

  /** Whether containers do not have yet what they were given, and the API server does not know. */
  isUntold({ status }: Pod): boolean {
    return this.#inProgress !== undefined && findCondition(status?.conditions, 'PodResizeInProgress') === undefined;
  }

  /** For the pod's status, in upstream's order. */
  get conditions(): PodCondition[] {
    return [this.#pending, this.#inProgress].filter((condition) => condition !== undefined);
  }

  /** What the running container of that name was last set to. */
  actuated(name: string): ResourceRequirements | undefined {
    return this.#allocation?.actuated.get(name);
  }

  /** The pod with what it has been given, without a word on what it asks for. */
  given(pod: Pod): Pod {
    return withResources(pod, (this.#allocation ?? this.#restore(pod)).allocated);
  }

  /** The pod with what it is given now: what it asks for is judged first (`handlePodResourcesResize`). */
  judge(pod: Pod): Pod {
    const allocation = this.#allocation ?? this.#restore(pod);
    const asked = resourcesOf(pod);
    if (samePodResources(asked, allocation.allocated)) {
      this.#pending = undefined;
      return pod;
    }
    const refusal = this.#deps.refuse(pod);
    if (refusal !== undefined) {
      this.#defer(pod, refusal);
      return withResources(pod, allocation.allocated);
    }
    this.#keep({ allocated: asked, actuated: allocation.actuated });
    this.#pending = undefined;
    this.#inProgress = condition('PodResizeInProgress', pod);
    this.#tell(pod, 'Normal', 'ResizeStarted', 'Pod resize started');
    return pod;
  }

  /** Names of the containers that must be started again for the resize. `pod` is the judged one. */
  restarts(pod: Pod, runtime: PodRuntime): Set<string> {
    return needRestart(pod, runtime, this.#allocation?.actuated ?? new Map());
  }

  /** The container has been started with these resources. */
  started({ name = '', resources = {} }: Container): void {
    if (this.#allocation === undefined) return;
    this.#actuated(new Map(this.#allocation.actuated).set(name, resources));
  }

  /**
   * Brings what runs to what the judged `pod` was given; `killed` containers get it when they start. Answers whether that went well:
   * otherwise the condition and an event say why not, and it is to be tried again.
   */
  async actuate(pod: Pod, runtime: PodRuntime, killed: ReadonlySet<string>): Promise<boolean> {
    const from = this.#allocation?.actuated ?? new Map();
    const target = resourcesOf(pod);
    if (samePodResources(from, target)) return true;
    try {
      for await (const reached of actuate(this.#deps.machine, pod, runtime, from, killed)) this.#actuated(reached);
    } catch (error) {
      this.#fail(pod, rpcText(error));
      return false;
    }
    this.#actuated(target);
    return true;
  }

  /** Says that the resize is over, if all that was given is there. */
  settle(pod: Pod): void {
    if (this.#allocation === undefined || this.#inProgress === undefined) return;
    if (!samePodResources(this.#allocation.allocated, this.#allocation.actuated)) return;
    const { observedGeneration } = this.#inProgress;
    this.#inProgress = undefined;
    this.#tell(this.given(pod), 'Normal', 'ResizeCompleted', 'Pod resize completed', observedGeneration);
    this.#deps.onFreed();
  }

  #restore(pod: Pod): Allocation {
    this.#allocation = loadAllocation(this.#folder, pod);
    [this.#pending, this.#inProgress] = RESIZE_CONDITIONS.map((type) => findCondition(pod.status?.conditions, type));
    return this.#allocation;
  }

  #keep(allocation: Allocation): void {
    saveAllocation(this.#folder, allocation);
    this.#allocation = allocation;
  }

  #actuated(actuated: Allocation['actuated']): void {
    if (this.#allocation === undefined || samePodResources(actuated, this.#allocation.actuated)) return;
    this.#keep({ allocated: this.#allocation.allocated, actuated });
  }

  #defer(pod: Pod, { reason, message }: Refusal): void {
    const old = this.#pending;
    const wanted = reason === 'Infeasible' ? reason : 'Deferred';
    this.#pending = condition('PodResizePending', pod, { reason: wanted, message }, old);
    if (old?.reason === wanted && old.observedGeneration === pod.metadata.generation) return;
    this.#tell(pod, 'Warning', `Resize${wanted}`, `Pod resize ${wanted}`, pod.metadata.generation, message);
  }

  #fail(pod: Pod, message: string): void {
    const old = this.#inProgress;
    const next = condition('PodResizeInProgress', pod, { reason: 'Error', message }, old);
    const observedGeneration = old?.observedGeneration ?? pod.metadata.generation;
    this.#inProgress = { ...next, ...(observedGeneration === undefined ? {} : { observedGeneration }) };
    if (old?.reason === 'Error' && old.message === message) return;
    this.#tell(pod, 'Warning', 'ResizeError', 'Pod resize error', observedGeneration, message);
  }

  #tell(
    pod: Pod,
    type: 'Normal' | 'Warning',
    reason: string,
    what: string,
    generation = pod.metadata.generation,
    error?: string,
  ): void {
    this.#deps.events.record(pod, type, reason, `${what}: ${summary(pod, generation ?? 0, error)}`);
  }
}

/** A condition that is True; its times are those of `old` where that says the same. */
function condition(
  type: (typeof RESIZE_CONDITIONS)[number],
  pod: Pod,
  why: { reason?: string; message?: string } = {},
  old?: PodCondition,
): PodCondition {
  const generation = pod.metadata.generation;
  const at = now();
  return {
    type,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    status: 'True',
    lastProbeTime: (old?.message === why.message ? old?.lastProbeTime : undefined) ?? at,
    lastTransitionTime: (old?.reason === why.reason ? old?.lastTransitionTime : undefined) ?? at,
    ...why,
  };
}

/** The resources as upstream's events show them. */
function summary({ spec }: Pod, generation: number, error: string | undefined): string {
  const amounts = (list: Record<string, string> | undefined): object | undefined =>
    list &&
    Object.fromEntries(
      Object.keys(list)
        .sort()
        .map((name) => [name, canonical(list[name] ?? '0')]),
    );
  const told = (containers: readonly Container[] = []): object[] =>
    containers.map(({ name, resources = {} }) => ({
      name,
      resources: { limits: amounts(resources.limits), requests: amounts(resources.requests), claims: resources.claims },
    }));
  const init = told(spec?.initContainers);
  return JSON.stringify({
    ...(init.length === 0 ? {} : { initContainers: init }),
    containers: told(spec?.containers),
    generation,
    ...(error === undefined ? {} : { error }),
  });
}
