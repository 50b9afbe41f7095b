/** TypeScript interfaces of every built-in kind, from the schema. */
import { allMessages, type Field, type MessageSchema } from '../../src/apimachinery/schema/index.ts';

const SCALARS = {
  string: 'string',
  bool: 'boolean',
  int32: 'number',
  int64: 'number',
  double: 'number',
  bytes: 'string',
};
const SPECIALS: Record<string, string> = {
  Time: 'string',
  MicroTime: 'string',
  Duration: 'string',
  Quantity: 'string',
  IntOrString: 'number | string',
  Raw: 'Json',
  StringList: 'string[]',
  SchemaOrArray: 'JSONSchemaProps | JSONSchemaProps[]',
  SchemaOrBool: 'JSONSchemaProps | boolean',
  SchemaOrStringArray: 'JSONSchemaProps | string[]',
};
/** Written by hand in `apimachinery/meta.ts`. */
const OWN = new Set(['meta.v1.ObjectMeta', 'meta.v1.OwnerReference', 'meta.v1.ManagedFieldsEntry', 'meta.v1.Status']);
const META = '../../apimachinery/meta.ts';

const packageOf = (name: string): string => name.slice(0, name.lastIndexOf('.'));
const kindOf = (name: string): string => name.slice(name.lastIndexOf('.') + 1);

/** Texts by file name: `core.v1.ts`, … */
export function generateTypes(): Map<string, string> {
  const packages = new Map<string, MessageSchema[]>();
  for (const message of allMessages()) {
    const pkg = packageOf(message.name);
    if (!/\.v\d+((alpha|beta)\d+)?$/.test(pkg)) continue;
    packages.set(pkg, [...(packages.get(pkg) ?? []), message]);
  }
  return new Map([...packages].map(([pkg, messages]) => [`${pkg}.ts`, file(pkg, messages)]));
}

function file(pkg: string, messages: MessageSchema[]): string {
  const imports = new Map<string, Set<string>>();
  const use = (from: string, name: string): string => {
    imports.set(from, (imports.get(from) ?? new Set()).add(name));
    return name;
  };
  const known = new Set(messages.map((m) => m.name));
  const bodies = messages
    .filter((m) => m.special === undefined && !OWN.has(m.name))
    .map((m) => body(m, pkg, known, use));
  const heads = [...imports].map(([from, names]) => `import type { ${[...names].sort().join(', ')} } from '${from}';`);
  return `/** Kinds of ${pkg}. Generated; do not edit. */\n${heads.join('\n')}\n\n${bodies.join('\n')}`;
}

function body(
  message: MessageSchema,
  pkg: string,
  known: ReadonlySet<string>,
  use: (from: string, name: string) => string,
): string {
  const lines = message.hasTypeMeta ? ['  apiVersion?: string;', '  kind?: string;'] : [];
  for (const field of message.fields.values()) {
    const name = /^[A-Za-z_]\w*$/.test(field.name) ? field.name : JSON.stringify(field.name);
    const always = field.name === 'metadata' && message.hasTypeMeta;
    lines.push(`  ${name}${always ? '' : '?'}: ${typeOf(field, pkg, known, use)};`);
  }
  return `export interface ${kindOf(message.name)} {\n${lines.join('\n')}\n}\n`;
}

function typeOf(
  field: Field,
  pkg: string,
  known: ReadonlySet<string>,
  use: (from: string, name: string) => string,
): string {
  const one =
    field.kind === 'message' ? messageType(field.message as MessageSchema, pkg, known, use) : SCALARS[field.kind];
  if (field.shape === 'map') return `Record<string, ${one}>`;
  if (field.shape !== 'repeated') return one;
  return one.includes('|') ? `(${one})[]` : `${one}[]`;
}

function messageType(
  message: MessageSchema,
  pkg: string,
  known: ReadonlySet<string>,
  use: (from: string, name: string) => string,
): string {
  if (message.special !== undefined) {
    const text = SPECIALS[message.special] as string;
    return text === 'Json' ? use(META, 'Json') : text;
  }
  const kind = kindOf(message.name);
  if (OWN.has(message.name)) return use(META, kind);
  const from = packageOf(message.name);
  if (from === pkg) return known.has(message.name) ? kind : 'Record<string, never>';
  return use(`./${from}.ts`, kind);
}
