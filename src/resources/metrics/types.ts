/** Kinds of `metrics.k8s.io/v1beta1`. */
import type { ObjectMeta } from '../../apimachinery/meta.ts';

/** Quantities by resource: `cpu`, `memory`. */
export type Usage = Record<string, string>;

/** What a node used, on average over the window. */
export interface NodeMetrics {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  timestamp?: string;
  /** A Go duration. */
  window?: string;
  usage?: Usage;
}

export interface ContainerMetrics {
  name?: string;
  usage?: Usage;
}

/** What the containers of a pod used, on average over the window. */
export interface PodMetrics {
  apiVersion?: string;
  kind?: string;
  metadata: ObjectMeta;
  timestamp?: string;
  window?: string;
  containers?: ContainerMetrics[];
}
