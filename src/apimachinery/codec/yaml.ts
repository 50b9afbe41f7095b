/** YAML bodies, read as Go's YAML 1.1 reader does. */
import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isScalar,
  LineCounter,
  parseDocument,
  type ScalarTag,
  type Tags,
  visit,
} from 'yaml';
import { badRequest } from '../errors.ts';
import type { Json } from '../meta.ts';
import { checkDepth } from './depth.ts';

/** Anchors may multiply a document no further than this. */
const MAX_ALIASES = 100;
/** Nodes that are walked to resolve all aliases of a document. */
const MAX_WALKED = 5_000_000;
/** No more duplicate keys than this are named, nor more characters of one. */
const MAX_NAMED = 100;
const MAX_KEY = 256;

/** What YAML 1.1 reads in another way than 1.2: `yes`, and octal numbers such as `0644`. Base-60 numbers stay texts, as in Go. */
const YAML_1_1: ScalarTag[] = [
  {
    tag: 'tag:yaml.org,2002:bool',
    default: true,
    test: /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/,
    resolve: (text) => /^(?:y|on)/i.test(text),
  },
  {
    tag: 'tag:yaml.org,2002:int',
    default: true,
    test: /^[-+]?0[0-7]+$/,
    resolve: (text) => (text.startsWith('-') ? -1 : 1) * Number.parseInt(text.replace(/^[-+]/, ''), 8),
  },
];

const SCHEMA = { schema: 'core', customTags: (tags: Tags): Tags => [...YAML_1_1, ...tags] } as const;

/** The first document of a text, as JSON; JSON is YAML too, and is parsed the quick way. Throws BadRequest, for what nests too deeply too. */
export function decodeYaml(text: string): Json {
  const value = parse(text);
  checkDepth(value);
  return value;
}

function parse(text: string): Json {
  const start = text.trimStart();
  if (start.startsWith('{') || start.startsWith('[')) {
    try {
      return JSON.parse(text) as Json;
    } catch {
      // Flow style YAML begins like JSON.
    }
  }
  try {
    const document = read(firstDocument(text));
    const [error] = document.errors;
    if (error !== undefined) throw error;
    checkWork(document);
    return document.toJS({ maxAliasCount: MAX_ALIASES }) as Json;
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error);
    throw badRequest(`error converting YAML to JSON: yaml: ${why}`);
  }
}

/**
 * What strict decoding says of keys that stand twice in a YAML text: `yaml: unmarshal errors:` and a line for each. Empty where there are none,
 * and for JSON, which `decodeJson` looks through.
 */
export function yamlDuplicates(text: string): string {
  const lines = new LineCounter();
  const found: string[] = [];
  try {
    visit(read(firstDocument(text), lines), {
      Map(_, { items }) {
        const seen = new Set<unknown>();
        for (const { key } of items) {
          if (!isScalar(key)) continue;
          if (seen.has(key.value) && found.length < MAX_NAMED) {
            const { line } = lines.linePos(key.range?.[0] ?? 0);
            found.push(`  line ${line}: key ${JSON.stringify(String(key.value).slice(0, MAX_KEY))} already set in map`);
          }
          seen.add(key.value);
        }
      },
    });
  } catch {
    // What cannot be read is decodeYaml's to refuse.
    return '';
  }
  return found.length === 0 ? '' : `yaml: unmarshal errors:\n${found.join('\n')}`;
}

/**
 * Throws for what would take more time than it is worth. To resolve an alias the whole document is walked. Keys are scalars: others
 * would be written out as texts, keys within keys each time anew, which doubles with each level.
 */
function checkWork(document: Document): void {
  const named: Alias[] = [];
  let nodes = 0;
  let aliases = 0;
  visit(document, {
    Node(_, node) {
      nodes++;
      if (isAlias(node)) aliases++;
    },
    Pair(_, { key }) {
      if (isCollection(key)) throw new Error('invalid map key: a collection');
      if (isAlias(key)) named.push(key);
    },
  });
  if (aliases * nodes > MAX_WALKED) throw new Error('document contains excessive aliasing');
  if (named.some((alias) => isCollection(alias.resolve(document)))) throw new Error('invalid map key: a collection');
}

function read(text: string, lineCounter?: LineCounter): Document {
  return parseDocument(text, {
    ...SCHEMA,
    merge: true,
    uniqueKeys: false,
    ...(lineCounter === undefined ? {} : { lineCounter }),
  });
}

/** Only the first document counts; what comes after is not even parsed. */
function firstDocument(text: string): string {
  const end = /\n(?:---|\.\.\.)(?=\s|$)/g;
  const starts = /^(?:\s|#[^\n]*\n)*---(?=\s|$)/.exec(text);
  end.lastIndex = starts === null ? 0 : starts[0].length;
  const match = end.exec(text);
  return match === null ? text : text.slice(0, match.index + 1);
}
