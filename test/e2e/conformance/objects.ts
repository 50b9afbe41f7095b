/** Objects that conformance tests make. */
const LABELS = { app: 'test' };

/** A pod's spec with one container that needs nothing. */
export const podSpec = (more: object = {}): object => ({
  terminationGracePeriodSeconds: 0,
  containers: [{ name: 'main', image: 'registry.k8s.io/pause:3.10' }],
  ...more,
});

/** One that no scheduler takes: the test says what becomes of it, or nothing does. */
export const unscheduled = (more: object = {}): object => podSpec({ schedulerName: 'nobody', ...more });

export const pod = (name: string, spec: object = podSpec(), metadata: object = {}): object => ({
  metadata: { name, labels: LABELS, ...metadata },
  spec,
});

/** What Deployments, ReplicaSets, StatefulSets and DaemonSets have in common. */
export const workload = (name: string, spec: object = {}, podOptions: object = podSpec()): object => ({
  metadata: { name, labels: LABELS },
  spec: {
    selector: { matchLabels: LABELS },
    template: { metadata: { labels: LABELS }, spec: podOptions },
    ...spec,
  },
});

/** A ReplicationController: its selector is of another shape. */
export const replicationController = (name: string, spec: object = {}, podOptions: object = podSpec()): object =>
  workload(name, { selector: LABELS, ...spec }, podOptions);

/** An owner reference to an object. */
export const ownedBy = (
  kind: string,
  { apiVersion = 'v1', metadata }: { apiVersion?: string; metadata: { name: string; uid?: string } },
  more: object = {},
): object => ({ apiVersion, kind, name: metadata.name, uid: metadata.uid, ...more });
