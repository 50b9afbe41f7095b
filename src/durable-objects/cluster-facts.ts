/** What of an object goes into the cluster's snapshot. */
import { toBase64 } from '../apimachinery/codec/base64.ts';
import type { KubeObject } from '../apimachinery/meta.ts';
import type { BindingFact, NamespaceFact, PolicyRule, RoleFact, Subject } from './cluster-rpc.ts';

/** Changes when the objects do, but not with the day. */
export async function digestOf(objects: unknown): Promise<string> {
  const text = JSON.stringify(objects, (key, value: unknown) => (key === 'since' ? undefined : value));
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return toBase64(new Uint8Array(bytes));
}

export interface Namespace extends KubeObject {
  status?: { phase?: string };
}

export interface Role extends KubeObject {
  rules?: PolicyRule[];
}

export interface Binding extends KubeObject {
  roleRef: { kind: string; name: string };
  subjects?: Subject[];
}

export const namespaceFact = ({ metadata, status }: Namespace): NamespaceFact => ({
  name: metadata.name,
  phase: status?.phase ?? 'Active',
  labels: metadata.labels ?? {},
});

export const roleFact = ({ metadata, rules }: Role): RoleFact => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  rules: rules ?? [],
});

export const bindingFact = ({ metadata, roleRef, subjects }: Binding): BindingFact => ({
  namespace: metadata.namespace ?? '',
  name: metadata.name,
  roleRef: { kind: roleRef.kind, name: roleRef.name },
  subjects: subjects ?? [],
});
