/** Swagger 2 as protobuf: the messages of gnostic's `OpenAPIv2.proto` that our document is made of. */

/** `any`: whatever value, as a text of YAML; `strings`: a message that holds nothing but texts. */
export type Scalar = 'string' | 'bool' | 'int' | 'double' | 'any' | 'strings';

/** How a value of the JSON document is written. */
export interface Form {
  /** Field numbers of the messages around it that do nothing but say which of several it is, outermost first. */
  wrapped?: readonly number[];
  as: Scalar | Message;
}

export interface Message {
  /** By JSON's name of a field: its number and its form; `many`: a list in JSON, a repeated field here. */
  fields?: Readonly<Record<string, readonly [number: number, form: Form | Choice, many?: 'many']>>;
  /** The number of the repeated field that has the keys `x-…`. */
  extensions?: number;
  /** Any other key: the number of the repeated field of names and values, and the form of a value. */
  named?: readonly [number: number, form: Form];
}

/** Where the value itself says what it is. */
export type Choice = (value: unknown) => Form;

const string: Form = { as: 'string' };
const bool: Form = { as: 'bool' };
const int: Form = { as: 'int' };
const double: Form = { as: 'double' };
const any: Form = { as: 'any' };

const schema: Message = { extensions: 31 };
const properties: Message = { named: [1, { as: schema }] };
const valueOrSchema: Choice = (value) =>
  typeof value === 'boolean' ? { wrapped: [2], as: 'bool' } : { wrapped: [1], as: schema };
schema.fields = {
  $ref: [1, string],
  format: [2, string],
  title: [3, string],
  description: [4, string],
  default: [5, any],
  multipleOf: [6, double],
  maximum: [7, double],
  exclusiveMaximum: [8, bool],
  minimum: [9, double],
  exclusiveMinimum: [10, bool],
  maxLength: [11, int],
  minLength: [12, int],
  pattern: [13, string],
  maxItems: [14, int],
  minItems: [15, int],
  uniqueItems: [16, bool],
  maxProperties: [17, int],
  minProperties: [18, int],
  required: [19, string, 'many'],
  enum: [20, any, 'many'],
  additionalProperties: [21, valueOrSchema],
  type: [22, { as: 'strings' }],
  items: [23, { wrapped: [1], as: schema }],
  properties: [25, { as: properties }],
};

const body: Message = {
  fields: {
    description: [1, string],
    name: [2, string],
    in: [3, string],
    required: [4, bool],
    schema: [5, { as: schema }],
  },
};
const query: Message = {
  fields: {
    required: [1, bool],
    in: [2, string],
    description: [3, string],
    name: [4, string],
    type: [6, string],
    uniqueItems: [20, bool],
  },
};
const path: Message = {
  fields: {
    required: [1, bool],
    in: [2, string],
    description: [3, string],
    name: [4, string],
    type: [5, string],
    uniqueItems: [19, bool],
  },
};
const parameter: Choice = (value) => {
  const where = (value as { in?: unknown }).in;
  if (where === 'body') return { wrapped: [1, 1], as: body };
  return where === 'query' ? { wrapped: [1, 2, 3], as: query } : { wrapped: [1, 2, 4], as: path };
};

const response: Message = { fields: { description: [1, string], schema: [2, { wrapped: [1], as: schema }] } };
const operation: Message = {
  fields: {
    description: [3, string],
    operationId: [5, string],
    produces: [6, string, 'many'],
    consumes: [7, string, 'many'],
    parameters: [8, parameter, 'many'],
    responses: [9, { as: { named: [1, { wrapped: [1], as: response }] } }],
  },
  extensions: 13,
};
const pathItem: Message = {
  fields: {
    get: [2, { as: operation }],
    put: [3, { as: operation }],
    post: [4, { as: operation }],
    delete: [5, { as: operation }],
    options: [6, { as: operation }],
    head: [7, { as: operation }],
    patch: [8, { as: operation }],
    parameters: [9, parameter, 'many'],
  },
};
const apiKey: Message = { fields: { type: [1, string], name: [2, string], in: [3, string], description: [4, string] } };

/** What a schema can say. */
export const SCHEMA_FIELDS: ReadonlySet<string> = new Set(Object.keys(schema.fields));

/** `openapi.v2.Document`. */
export const DOCUMENT: Message = {
  fields: {
    swagger: [1, string],
    info: [2, { as: { fields: { title: [1, string], version: [2, string] } } }],
    paths: [8, { as: { named: [2, { as: pathItem }] } }],
    definitions: [9, { as: properties }],
    security: [12, { as: { named: [1, { as: 'strings' }] } }, 'many'],
    securityDefinitions: [13, { as: { named: [1, { wrapped: [2], as: apiKey }] } }],
  },
};
