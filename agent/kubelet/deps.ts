/** What pod workers work with: one of each per kubelet. */
import type { Pod, Service } from '../../src/generated/types/core.v1.ts';
import type { HttpClient } from '../client.ts';
import type { CriClient } from '../runtime/cri.ts';
import type { ClusterInfo, Log } from '../types.ts';
import type { Refusal } from './admission.ts';
import type { Backoff } from './backoff.ts';
import type { ConfigSource } from './config-source.ts';
import type { EventRecorder } from './events.ts';
import type { Allocatable } from './field-ref.ts';
import type { ImageManager } from './images.ts';
import type { Prober } from './probes/prober.ts';
import type { ResizeDeps } from './resize.ts';
import type { TokenSource } from './tokens.ts';
import type { VolumeManager } from './volumes/manager.ts';

export interface KubeletDeps {
  client: HttpClient;
  cri: CriClient;
  log: Log;
  node: { name: string; ip: string };
  cluster: ClusterInfo;
  allocatable: Allocatable;
  events: EventRecorder;
  images: ImageManager;
  prober: Prober;
  volumes: VolumeManager;
  tokens: TokenSource;
  config: ConfigSource;
  backoff: Backoff;
  services: () => readonly Service[];
  /** `<data>/pods-logs` */
  podLogs: string;
  seccompDir: string;
  /** Why pods cannot have a network yet; undefined when they can. */
  networkProblem: () => Promise<string | undefined>;
  /** Why the node does not take the pod. */
  admit: (pod: Pod) => Promise<Refusal | undefined>;
  /** What resizes of pods are judged and done with. */
  resize: ResizeDeps;
}
