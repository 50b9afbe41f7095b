/** An HTTPS request to a Service inside the cluster, or to a URL, as the control plane asks a node's agent to make it. Plain data. */

export interface ServiceCall {
  /** Where to connect: an address of an endpoint, the name that an ExternalName stands for, or the host of a URL. */
  host: string;
  port: number;
  /** What the certificate must name: `<service>.<namespace>.svc`, or the host of a URL, which may be an address. */
  serverName: string;
  method: string;
  /** With its query. */
  path: string;
  headers: Record<string, string | string[]>;
  /** PEM; absent: the node's own roots. */
  ca?: string;
  /** Whoever answers is believed. */
  insecure?: boolean;
  /** PEM, with which the caller says who it is. */
  certificate?: { cert: string; key: string };
}
