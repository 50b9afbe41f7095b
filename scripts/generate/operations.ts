/** What an OpenAPI operation says, and its form in v3 and in Swagger 2. */
import type { Json, JsonObject } from '../../src/apimachinery/meta.ts';

export interface GroupVersionKind {
  group: string;
  version: string;
  kind: string;
}

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete' | 'head' | 'options';

export interface Operation {
  method: Method;
  id: string;
  /** `x-kubernetes-action`; absent on discovery. */
  action?: string;
  gvk?: GroupVersionKind;
  description?: string;
  /** Names of query parameters. */
  parameters: readonly string[];
  /** Media types of the body. */
  consumes: readonly string[];
  produces: readonly string[];
  /** Upstream's name of the body's schema, and of the answer's. */
  body?: string;
  answer?: string;
  /** Successful status codes. */
  codes: readonly number[];
}

export const PRODUCES = ['application/json', 'application/vnd.kubernetes.protobuf', 'application/yaml'];
export const PRODUCES_LIST = [
  ...PRODUCES,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];
export const PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

const BOOLEANS = new Set([
  'allowWatchBookmarks',
  'follow',
  'force',
  'ignoreStoreReadErrorWithClusterBreakingPotential',
  'insecureSkipTLSVerifyBackend',
  'orphanDependents',
  'previous',
  'sendInitialEvents',
  'stderr',
  'stdin',
  'stdout',
  'timestamps',
  'tty',
  'watch',
]);
const INTEGERS = new Set([
  'gracePeriodSeconds',
  'limit',
  'limitBytes',
  'ports',
  'sinceSeconds',
  'tailLines',
  'timeoutSeconds',
]);
const CODES: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

/** A path: its operations, and what all of them take. Parameters that are common to all are said once, as upstream does. */
export function pathItem(operations: readonly Operation[], inPath: readonly string[], v2: boolean): JsonObject {
  const [first, ...rest] = operations;
  const shared = (first?.parameters ?? []).filter((name) => rest.every(({ parameters }) => parameters.includes(name)));
  const entries = operations.map((operation) => [operation.method, write(operation, shared, v2)] as const);
  const common = [
    ...inPath.map((name) => parameter(name, 'path', v2)),
    ...shared.map((name) => parameter(name, 'query', v2)),
  ];
  return { ...Object.fromEntries(entries), ...(common.length === 0 ? {} : { parameters: common }) };
}

function write(operation: Operation, shared: readonly string[], v2: boolean): JsonObject {
  const { id, action, gvk, description, parameters, consumes, produces, body } = operation;
  const own = parameters.filter((name) => !shared.includes(name)).map((name) => parameter(name, 'query', v2));
  const about: JsonObject = {
    ...(description === undefined ? {} : { description }),
    operationId: id,
    ...(action === undefined ? {} : { 'x-kubernetes-action': action }),
    ...(gvk === undefined ? {} : { 'x-kubernetes-group-version-kind': { ...gvk } }),
  };
  const ref = (name: string): JsonObject => ({ $ref: `${v2 ? '#/definitions/' : '#/components/schemas/'}${name}` });
  const each = (types: readonly string[], name: string | undefined): JsonObject =>
    Object.fromEntries(types.map((type) => [type, name === undefined ? {} : { schema: ref(name) }]));
  if (v2) {
    const bodies: Json[] =
      body === undefined
        ? []
        : [
            {
              name: 'body',
              in: 'body',
              required: action !== 'delete' && action !== 'deletecollection',
              schema: ref(body),
            },
          ];
    return {
      ...about,
      consumes: consumes.length === 0 ? ['*/*'] : [...consumes],
      produces: [...produces],
      ...(bodies.length + own.length === 0 ? {} : { parameters: [...bodies, ...own] }),
      responses: answers(operation, (name) => (name === undefined ? {} : { schema: ref(name) })),
    };
  }
  return {
    ...about,
    ...(own.length === 0 ? {} : { parameters: own }),
    ...(body === undefined ? {} : { requestBody: { content: each(consumes, body) } }),
    responses: answers(operation, (name) => ({ content: each(produces, name) })),
  };
}

function answers({ codes, answer }: Operation, content: (name: string | undefined) => JsonObject): JsonObject {
  return {
    ...Object.fromEntries(
      codes.map((code) => [String(code), { description: CODES[code] as string, ...content(answer) }]),
    ),
    '401': { description: 'Unauthorized' },
  };
}

function parameter(name: string, where: 'path' | 'query', v2: boolean): JsonObject {
  const type = BOOLEANS.has(name) ? 'boolean' : INTEGERS.has(name) ? 'integer' : 'string';
  const required = where === 'path' ? { required: true } : {};
  return {
    name,
    in: where,
    ...required,
    ...(v2 ? { type, uniqueItems: true } : { schema: { type, uniqueItems: true } }),
  };
}
