/** The schema of every built-in kind: field names, types, protobuf numbers, list and merge semantics. Read message by message, on demand. */

import { parseApiVersion } from '../meta.ts';
import { admissionV1 } from './data/admission-v1.ts';
import { admissionregistrationV1 } from './data/admissionregistration-v1.ts';
import { apiextensionsV1 } from './data/apiextensions-v1.ts';
import { apiregistrationV1 } from './data/apiregistration-v1.ts';
import { appsV1 } from './data/apps-v1.ts';
import { authenticationV1 } from './data/authentication-v1.ts';
import { authorizationV1 } from './data/authorization-v1.ts';
import { autoscalingV1 } from './data/autoscaling-v1.ts';
import { autoscalingV2 } from './data/autoscaling-v2.ts';
import { batchV1 } from './data/batch-v1.ts';
import { certificatesV1 } from './data/certificates-v1.ts';
import { coordinationV1 } from './data/coordination-v1.ts';
import { coreV1 } from './data/core-v1.ts';
import { discoveryV1 } from './data/discovery-v1.ts';
import { eventsV1 } from './data/events-v1.ts';
import { flowcontrolV1 } from './data/flowcontrol-v1.ts';
import { intstr } from './data/intstr.ts';
import { metaV1 } from './data/meta-v1.ts';
import { metricsV1beta1 } from './data/metrics-v1beta1.ts';
import { networkingV1 } from './data/networking-v1.ts';
import { nodeV1 } from './data/node-v1.ts';
import { policyV1 } from './data/policy-v1.ts';
import { quantity } from './data/quantity.ts';
import { rbacV1 } from './data/rbac-v1.ts';
import { resourceV1 } from './data/resource-v1.ts';
import { runtime } from './data/runtime.ts';
import { schedulingV1 } from './data/scheduling-v1.ts';
import { storageV1 } from './data/storage-v1.ts';
import { type MessageSchema, parseMessage } from './parse.ts';

export type { Field, Kind, MessageSchema, Special } from './parse.ts';

const PACKAGES: Record<string, string> = {
  'admission.v1': admissionV1,
  'admissionregistration.v1': admissionregistrationV1,
  'apiextensions.v1': apiextensionsV1,
  'apiregistration.v1': apiregistrationV1,
  'apps.v1': appsV1,
  'authentication.v1': authenticationV1,
  'authorization.v1': authorizationV1,
  'autoscaling.v1': autoscalingV1,
  'autoscaling.v2': autoscalingV2,
  'batch.v1': batchV1,
  'certificates.v1': certificatesV1,
  'coordination.v1': coordinationV1,
  'core.v1': coreV1,
  'discovery.v1': discoveryV1,
  'events.v1': eventsV1,
  'flowcontrol.v1': flowcontrolV1,
  intstr: intstr,
  'meta.v1': metaV1,
  'metrics.v1beta1': metricsV1beta1,
  'networking.v1': networkingV1,
  'node.v1': nodeV1,
  'policy.v1': policyV1,
  quantity: quantity,
  'rbac.v1': rbacV1,
  'resource.v1': resourceV1,
  runtime: runtime,
  'scheduling.v1': schedulingV1,
  'storage.v1': storageV1,
};

/** Lines by `package.Message`, once a package has been split. */
const lines = new Map<string, string>();
const split = new Set<string>();
const parsed = new Map<string, MessageSchema>();
const byKind = new Map<string, MessageSchema | undefined>();

function lineOf(name: string): string | undefined {
  const pkg = name.slice(0, name.lastIndexOf('.'));
  if (!split.has(pkg)) {
    split.add(pkg);
    for (const line of (PACKAGES[pkg] ?? '').trim().split('\n')) {
      const bare = /^\^?([^ |]+)/.exec(line)?.[1];
      if (bare !== undefined) lines.set(`${pkg}.${bare}`, line);
    }
  }
  return lines.get(name);
}

/** The schema of a message by name: `core.v1.PodSpec`. Undefined where there is none. */
export function schemaByName(name: string): MessageSchema | undefined {
  const known = parsed.get(name);
  if (known !== undefined) return known;
  const line = lineOf(name);
  if (line === undefined) return undefined;
  const schema = parseMessage(name.slice(0, name.lastIndexOf('.')), line, mustHave);
  parsed.set(name, schema);
  return schema;
}

/** A message that a field names. One without fields has no line. */
function mustHave(name: string): MessageSchema {
  return schemaByName(name) ?? { name, fields: new Map(), wire: [], hasTypeMeta: false, atomic: false };
}

/** Every message of every package, for generators. */
export function allMessages(): MessageSchema[] {
  for (const pkg of Object.keys(PACKAGES)) lineOf(`${pkg}.`);
  return [...lines.keys()].map(mustHave);
}

/** Kinds of `meta/v1` that are sent under any group's version. */
const META_KINDS = new Set([
  'Status',
  'DeleteOptions',
  'CreateOptions',
  'UpdateOptions',
  'PatchOptions',
  'GetOptions',
  'ListOptions',
  'APIGroup',
  'APIGroupList',
  'APIResourceList',
  'APIVersions',
  'WatchEvent',
]);

/** The schema of a kind: `schemaFor('apps/v1', 'Deployment')`. Undefined for kinds that are not built in. */
export function schemaFor(apiVersion: string, kind: string): MessageSchema | undefined {
  const key = `${apiVersion} ${kind}`;
  if (byKind.has(key)) return byKind.get(key);
  const { group, version } = parseApiVersion(apiVersion);
  const first = group === '' ? 'core' : (group.split('.', 1)[0] as string);
  const pkg = group === 'meta.k8s.io' || META_KINDS.has(kind) ? 'meta.v1' : `${first}.${version}`;
  const schema = /^[A-Za-z]+$/.test(kind) ? schemaByName(`${pkg}.${kind}`) : undefined;
  // Clients send what they like as a kind: only what may come again is remembered.
  if (byKind.size < 1000 && key.length < 200) byKind.set(key, schema);
  return schema;
}
