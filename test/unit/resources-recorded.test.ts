/** The pure strategies against recordings of a real API server, where those are at hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { StatusError } from '../../src/apimachinery/errors.ts';
import { type FieldError, toCause } from '../../src/apimachinery/field.ts';
import { type KubeObject, parseApiVersion } from '../../src/apimachinery/meta.ts';
import { canonical } from '../../src/apimachinery/quantity.ts';
import { resourceByKind } from '../../src/resources/index.ts';

const RECORDINGS =
  process.env['ZEROPLANE_RECORDINGS'] ?? new URL('../../../shared/fixtures/recorded', import.meta.url).pathname;
const folder = join(RECORDINGS, 'objects');

type Change = [pointer: string, value?: unknown];
type Cause = { reason?: string; message?: string; field?: string };
interface Case {
  on: 'create' | 'update';
  mutate: Change[];
  status: number;
  headers?: { warning?: string };
  body?: { details?: { causes?: Cause[] } };
}
interface Recording {
  kind: string;
  apiVersion: string;
  base: KubeObject;
  live: KubeObject | null;
  cases: Case[];
}

/** Kinds with deep validation, and the share of their cases that must agree. */
const FLOORS: Record<string, number> = {
  'admissionregistration-k8s-io-v1-mutatingadmissionpolicy.json': 1,
  'admissionregistration-k8s-io-v1-mutatingadmissionpolicybinding.json': 1,
  'admissionregistration-k8s-io-v1-mutatingwebhookconfiguration.json': 1,
  'admissionregistration-k8s-io-v1-validatingadmissionpolicy.json': 0.83,
  'admissionregistration-k8s-io-v1-validatingadmissionpolicybinding.json': 1,
  'admissionregistration-k8s-io-v1-validatingwebhookconfiguration.json': 0.98,
  'apiextensions-k8s-io-v1-customresourcedefinition.json': 0.97,
  'apiregistration-k8s-io-v1-apiservice.json': 1,
  'apps-v1-daemonset.json': 1,
  'apps-v1-deployment.json': 1,
  'apps-v1-replicaset.json': 1,
  'apps-v1-statefulset.json': 1,
  'autoscaling-v1-horizontalpodautoscaler.json': 1,
  'autoscaling-v2-horizontalpodautoscaler.json': 1,
  'batch-v1-cronjob.json': 1,
  'batch-v1-job.json': 1,
  'certificates-k8s-io-v1-certificatesigningrequest.json': 1,
  'coordination-k8s-io-v1-lease.json': 1,
  'discovery-k8s-io-v1-endpointslice.json': 1,
  'events-k8s-io-v1-event.json': 1,
  'flowcontrol-apiserver-k8s-io-v1-flowschema.json': 1,
  'flowcontrol-apiserver-k8s-io-v1-prioritylevelconfiguration.json': 1,
  'networking-k8s-io-v1-ingress.json': 1,
  'networking-k8s-io-v1-ingressclass.json': 1,
  'networking-k8s-io-v1-ipaddress.json': 1,
  'networking-k8s-io-v1-networkpolicy.json': 1,
  'networking-k8s-io-v1-servicecidr.json': 1,
  'node-k8s-io-v1-runtimeclass.json': 1,
  'policy-v1-poddisruptionbudget.json': 1,
  'rbac-authorization-k8s-io-v1-clusterrole.json': 1,
  'rbac-authorization-k8s-io-v1-clusterrolebinding.json': 1,
  'rbac-authorization-k8s-io-v1-role.json': 1,
  'rbac-authorization-k8s-io-v1-rolebinding.json': 1,
  'resource-k8s-io-v1-deviceclass.json': 0.9,
  'resource-k8s-io-v1-resourceclaim.json': 0.97,
  'resource-k8s-io-v1-resourceclaimtemplate.json': 1,
  'resource-k8s-io-v1-resourceslice.json': 1,
  'scheduling-k8s-io-v1-priorityclass.json': 1,
  'storage-k8s-io-v1-csidriver.json': 1,
  'storage-k8s-io-v1-csinode.json': 1,
  'storage-k8s-io-v1-csistoragecapacity.json': 1,
  'storage-k8s-io-v1-storageclass.json': 1,
  'storage-k8s-io-v1-volumeattachment.json': 1,
  'storage-k8s-io-v1-volumeattributesclass.json': 1,
  'v1-configmap.json': 1,
  'v1-endpoints.json': 1,
  'v1-event.json': 0.98,
  'v1-namespace.json': 0.96,
  'v1-node.json': 1,
  'v1-pod.json': 0.99,
  'v1-podtemplate.json': 1,
  'v1-replicationcontroller.json': 1,
  'v1-secret.json': 1,
  'v1-service.json': 1,
  'v1-serviceaccount.json': 1,
};

function apply(object: KubeObject, changes: readonly Change[]): KubeObject {
  const root = { '': structuredClone(object) } as Record<string, unknown>;
  for (const change of changes) {
    const path = ['', ...change[0].split('/').slice(1)].map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = path.pop() as string;
    let target = root as Record<string, unknown>;
    for (const part of path) {
      target[part] ??= {};
      target = target[part] as Record<string, unknown>;
    }
    if (change.length === 2) target[last] = change[1];
    else if (Array.isArray(target)) target.splice(Number(last), 1);
    else delete target[last];
  }
  return root[''] as KubeObject;
}

/** As decoding would leave it: no nulls, real values for placeholders. */
function settle(value: unknown): unknown {
  if (typeof value === 'string') {
    const placeholder = /^<(ip|port|time|uid):?(\d*)>$/.exec(value);
    if (placeholder === null) return value;
    if (placeholder[1] === 'uid') return `uid-${placeholder[2]}`;
    if (placeholder[1] === 'ip') return `10.96.0.${placeholder[2]}`;
    return placeholder[1] === 'port' ? 32000 + Number(placeholder[2]) : '2026-01-01T00:00:00Z';
  }
  if (Array.isArray(value)) return value.map(settle);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, v]) => v !== null);
  return Object.fromEntries(entries.map(([k, v]) => [k, QUANTITIES.test(k) ? settleQuantities(v) : settle(v)]));
}

const QUANTITIES = /^(capacity|allocatable|limits|requests|divisor|sizeLimit)$/;

function settleQuantities(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return typeof value === 'number' || typeof value === 'string' ? canonical(String(value)) : settle(value);
  }
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, settleQuantities(v)]));
}

const shown = (cause: Cause): string =>
  `${cause.field}: ${cause.message?.startsWith('Forbidden: pod updates may not change') ? 'immutable' : cause.message}`;

function causes(list: readonly Cause[]): string[] {
  const relevant = list.filter((cause) => !/^metadata(\.(?!taints)[a-zA-Z]+(\[\d+\].*)?)?$/.test(cause.field ?? ''));
  return [...new Set(relevant.map(shown))].sort();
}

/** What a case comes to with the strategies alone: the causes, as the recording shows them. */
function run(recording: Recording, test: Case): string[] {
  try {
    return causes(validate(recording, test).map(toCause));
  } catch (error) {
    // What cannot even be completed is refused before it is validated.
    if (error instanceof StatusError) return causes(error.status.details?.causes ?? []);
    throw error;
  }
}

function validate(recording: Recording, test: Case): FieldError[] {
  const { group, version } = parseApiVersion(recording.apiVersion);
  const strategy = resourceByKind(group, version, recording.kind)?.strategy ?? {};
  const before = test.on === 'create' ? recording.base : recording.live;
  const old = settle(before) as KubeObject;
  const object = settle(apply(before as KubeObject, test.mutate)) as KubeObject;
  object.metadata ??= { name: '' };
  object.metadata.namespace ??= 'rec';
  strategy.default?.(object);
  if (test.on === 'create') {
    strategy.prepareForCreate?.(object);
    return strategy.validate?.(object) ?? [];
  }
  strategy.default?.(old);
  strategy.prepareForUpdate?.(object, old);
  return (strategy.validateUpdate ?? strategy.validate)?.(object, old) ?? [];
}

const counts = (test: Case): boolean => test.status === 200 || test.status === 201 || test.status === 422;

describe.skipIf(!existsSync(folder))('strategies agree with recordings', () => {
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.json')) : [];
  it.each(files)('%s', (file) => {
    const recording = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Recording;
    const cases = recording.cases.filter(counts);
    const failed: string[] = [];
    for (const test of cases) {
      const expected = causes(test.body?.details?.causes ?? []).map((cause) =>
        cause.replaceAll(/<uid:(\d+)>/g, 'uid-$1'),
      );
      let actual: string[];
      try {
        actual = run(recording, test);
      } catch (error) {
        actual = [`THROWN ${error instanceof Error ? error.stack : String(error)}`];
      }
      if (JSON.stringify(actual) !== JSON.stringify(expected)) {
        failed.push(
          `${test.on} ${JSON.stringify(test.mutate).slice(0, 200)}\n  want ${expected.join('\n       ')}\n  got  ${actual.join('\n       ')}`,
        );
      }
    }
    const rate = cases.length === 0 ? 1 : 1 - failed.length / cases.length;
    if (process.env['SHOW'])
      console.log(
        `${file} ${(rate * 100).toFixed(1)} % of ${cases.length}\n${process.env['SHOW'] === 'all' ? failed.join('\n') : ''}`,
      );
    expect(rate, failed.slice(0, 5).join('\n')).toBeGreaterThanOrEqual(FLOORS[file] ?? 0);
  });
});
