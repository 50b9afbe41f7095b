/** OpenAPI schemas of the built-in kinds: structure from our schema, sentences from `@kubernetes/client-node`'s declarations. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';
import type { Field, MessageSchema } from '../../src/apimachinery/schema/index.ts';
import { enumOf } from './enums.ts';
import type { GroupVersionKind } from './operations.ts';

const PREFIXES: Record<string, string> = {
  'meta.v1': 'io.k8s.apimachinery.pkg.apis.meta.v1',
  runtime: 'io.k8s.apimachinery.pkg.runtime',
  quantity: 'io.k8s.apimachinery.pkg.api.resource',
  intstr: 'io.k8s.apimachinery.pkg.util.intstr',
  'apiextensions.v1': 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1',
  'apiregistration.v1': 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1',
};
const SCALARS: Record<string, JsonObject> = {
  string: { type: 'string' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bytes: { type: 'string', format: 'byte' },
};
const ANY_OF_SCHEMA = 'JSONSchemaPropsOr';
/** Bodies of any kind of patch. */
const PATCH = [
  'io.k8s.apimachinery.pkg.apis.meta.v1.Patch',
  { description: 'Patch is the body of a PATCH request: what it means depends on its media type.', type: 'object' },
] as const;
/** Zeros of plain scalars: upstream writes them as defaults of what is required. */
const ZEROS: Record<string, Json> = { string: '', bool: false, int32: 0, int64: 0, double: 0 };
/** Required, but Go leaves a zero out: there is no default. */
const NO_ZERO = new Set([
  'core.v1.ContainerRestartRule.action',
  'core.v1.ContainerRestartRuleOnExitCodes.operator',
  'core.v1.ImageVolumeStatus.imageRef',
  'core.v1.PodCertificateProjection.keyType',
  'core.v1.PodCertificateProjection.signerName',
  'admissionregistration.v1.MutatingWebhook.sideEffects',
  'admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec.policyName',
  'admissionregistration.v1.ValidatingWebhook.sideEffects',
  'authentication.v1.TokenReviewSpec.token',
  'certificates.v1.CertificateSigningRequestSpec.request',
  'networking.v1.HTTPIngressPath.pathType',
  'networking.v1.ParentReference.name',
  'networking.v1.ParentReference.resource',
]);

/** Upstream's name of a message: `core.v1.Pod` -> `io.k8s.api.core.v1.Pod`. */
export function schemaName(name: string): string {
  const at = name.lastIndexOf('.');
  const pkg = name.slice(0, at);
  return `${PREFIXES[pkg] ?? `io.k8s.api.${pkg}`}.${name.slice(at + 1)}`;
}

/** Makes schemas; `refs` is where they live: `#/components/schemas/` (v3) or `#/definitions/` (v2). */
export class Schemas {
  private readonly models: string;
  private readonly refs: string;
  private readonly abouts = new Map<string, string | undefined>();
  private readonly gvks: (message: MessageSchema) => GroupVersionKind[];

  constructor(root: string, refs: string, gvks: (message: MessageSchema) => GroupVersionKind[]) {
    this.models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
    this.refs = refs;
    this.gvks = gvks;
  }

  /** All messages that the given ones lead to, by upstream's name. */
  closure(messages: readonly MessageSchema[]): Record<string, JsonObject> {
    const found = new Map<string, MessageSchema>();
    const visit = (message: MessageSchema): void => {
      if (found.has(message.name)) return;
      found.set(message.name, message);
      for (const field of message.fields.values()) if (field.kind === 'message') visit(field.message as MessageSchema);
    };
    for (const message of messages) visit(message);
    const sorted = [...found.values()].sort((a, b) => (schemaName(a.name) < schemaName(b.name) ? -1 : 1));
    const entries = sorted.map((message) => [schemaName(message.name), this.schema(message)] as const);
    return Object.fromEntries([...entries, PATCH]);
  }

  private schema(message: MessageSchema): JsonObject {
    const special = this.special(message);
    if (special !== undefined) return special;
    const { about, fields: sentences } = this.sentences(message);
    const properties: JsonObject = {};
    if (message.hasTypeMeta) {
      for (const name of ['apiVersion', 'kind']) properties[name] = { ...said(sentences.get(name)), type: 'string' };
    }
    for (const field of message.fields.values()) {
      const values = enumOf(message.name, field.name);
      const zero = field.required && !NO_ZERO.has(`${message.name}.${field.name}`) ? ZEROS[field.kind] : undefined;
      properties[field.name] = this.property(field, sentences.get(field.name), values, field.default ?? zero);
    }
    const required = [...message.fields.values()].filter((field) => field.required).map(({ name }) => name);
    const gvks = this.gvks(message);
    return {
      ...said(about),
      type: 'object',
      ...(required.length === 0 ? {} : { required }),
      properties,
      ...(message.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(gvks.length === 0 ? {} : { 'x-kubernetes-group-version-kind': gvks as unknown as JsonObject[] }),
    };
  }

  private special({ special, name }: MessageSchema): JsonObject | undefined {
    const v2 = this.refs.startsWith('#/definitions');
    switch (special) {
      case 'Time':
      case 'MicroTime':
        return { type: 'string', format: 'date-time' };
      case 'Duration':
        return { type: 'string' };
      case 'Quantity':
        return v2 ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] };
      case 'IntOrString':
        return v2
          ? { type: 'string', format: 'int-or-string' }
          : { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
      case 'StringList':
        return { type: 'array', items: { type: 'string', default: '' } };
      case 'Raw':
        return name === 'apiextensions.v1.JSON' ? {} : { type: 'object' };
      default:
        return name.includes(ANY_OF_SCHEMA) ? {} : undefined;
    }
  }

  private property(
    field: Field,
    sentence: string | undefined,
    values: string[] | undefined,
    initial: Json | undefined,
  ): JsonObject {
    const one: JsonObject = { ...this.one(field), ...(values === undefined ? {} : { enum: values }) };
    const shape: JsonObject =
      field.shape === 'repeated'
        ? { type: 'array', items: withDefault(one, field) }
        : field.shape === 'map'
          ? { type: 'object', additionalProperties: withDefault(one, field) }
          : { ...one, ...(initial === undefined ? {} : { default: initial }) };
    return { ...said(sentence ?? this.aboutOf(field)), ...shape, ...semantics(field) };
  }

  private one(field: Field): JsonObject {
    if (field.kind !== 'message') return { ...SCALARS[field.kind] };
    const message = field.message as MessageSchema;
    if (message.special === 'StringList') return { type: 'array', items: { type: 'string', default: '' } };
    const $ref = `${this.refs}${schemaName(message.name)}`;
    return this.refs.startsWith('#/definitions') ? { $ref } : { allOf: [{ $ref }] };
  }

  /** A field that refers to a message has no words of its own in the declarations: the message's will do. */
  private aboutOf({ kind, message }: Field): string | undefined {
    if (kind !== 'message' || message === undefined || message.special !== undefined) return undefined;
    if (!this.abouts.has(message.name)) this.abouts.set(message.name, this.sentences(message).about);
    return this.abouts.get(message.name);
  }

  /** Descriptions out of a model's declaration: of the class, and of each property. */
  private sentences({ name }: MessageSchema): { about: string | undefined; fields: Map<string, string> } {
    const fields = new Map<string, string>();
    const text = this.declaration(name);
    if (text === undefined) return { about: undefined, fields };
    const about = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*export declare class/.exec(text)?.[1];
    for (const [, comment = '', property = ''] of text.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*'([^']+)'\??:/g)) {
      fields.set(property.replace(/^_/, ''), clean(comment));
    }
    return { about: about === undefined ? undefined : clean(about), fields };
  }

  private declaration(name: string): string | undefined {
    const [group = '', version = '', kind = ''] = name.split('.');
    const v = version.toUpperCase();
    const prefix = group.charAt(0).toUpperCase() + group.slice(1);
    for (const model of [`${prefix}${v}${kind}`, `${v}${kind}`]) {
      const file = join(this.models, `${model}.d.ts`);
      if (existsSync(file)) return readFileSync(file, 'utf8');
    }
    return undefined;
  }
}

const said = (sentence: string | undefined): JsonObject => (sentence ? { description: sentence } : {});

const clean = (comment: string): string =>
  comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*? ?/, '').trim())
    .filter(Boolean)
    .join(' ')
    .replaceAll(/\\(["'])/g, '$1')
    .trim();

/** Items that are messages or plain values have their zero as default, as upstream writes it. */
function withDefault(one: JsonObject, field: Field): JsonObject {
  if (field.kind === 'message' && field.message?.special === undefined) return { default: {}, ...one };
  const zero = ZEROS[field.kind];
  return zero === undefined ? one : { ...one, default: zero };
}

function semantics(field: Field): JsonObject {
  return {
    ...(field.listType === undefined ? {} : { 'x-kubernetes-list-type': field.listType }),
    ...(field.mapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': field.mapKeys }),
    ...(field.atomicMap === undefined ? {} : { 'x-kubernetes-map-type': field.atomicMap ? 'atomic' : 'granular' }),
    ...(field.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': field.patchStrategy }),
    ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
  };
}
