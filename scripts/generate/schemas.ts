/** OpenAPI schemas of the built-in kinds: structure from our schema, sentences from `@kubernetes/client-node`'s declarations. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/apimachinery/meta.ts';
import type { Field, MessageSchema } from '../../src/apimachinery/schema/index.ts';

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

export interface Gvk {
  group: string;
  version: string;
  kind: string;
}

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
  private readonly gvks: (message: MessageSchema) => Gvk[];

  constructor(root: string, refs: string, gvks: (message: MessageSchema) => Gvk[]) {
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
    return Object.fromEntries(sorted.map((message) => [schemaName(message.name), this.schema(message)]));
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
      properties[field.name] = this.property(field, sentences.get(field.name));
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

  private property(field: Field, sentence: string | undefined): JsonObject {
    const one = this.one(field);
    const shape: JsonObject =
      field.shape === 'repeated'
        ? { type: 'array', items: withDefault(one, field) }
        : field.shape === 'map'
          ? { type: 'object', additionalProperties: withDefault(one, field) }
          : one;
    return { ...said(sentence), ...shape, ...semantics(field) };
  }

  private one(field: Field): JsonObject {
    if (field.kind !== 'message') return { ...SCALARS[field.kind] };
    const message = field.message as MessageSchema;
    if (message.special === 'StringList') return { type: 'array', items: { type: 'string', default: '' } };
    const $ref = `${this.refs}${schemaName(message.name)}`;
    return this.refs.startsWith('#/definitions') ? { $ref } : { allOf: [{ $ref }] };
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
  if (field.kind === 'string') return { ...one, default: '' };
  return one;
}

function semantics(field: Field): JsonObject {
  return {
    ...(field.listType === undefined ? {} : { 'x-kubernetes-list-type': field.listType }),
    ...(field.mapKeys === undefined ? {} : { 'x-kubernetes-list-map-keys': field.mapKeys }),
    ...(field.atomicMap === true ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(field.patchStrategy === undefined ? {} : { 'x-kubernetes-patch-strategy': field.patchStrategy }),
    ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
  };
}
