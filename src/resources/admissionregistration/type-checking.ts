/** What the types of matched objects say against the expressions of a policy (upstream's `validating.TypeChecker`). */
import { type Declared, declare } from '../../apimachinery/cel/declared.ts';
import { PolicyCompiler } from '../../apimachinery/cel/policy.ts';
import { formatApiVersion } from '../../apimachinery/meta.ts';
import { schemaFor } from '../../apimachinery/schema/index.ts';
import { structuralOf } from '../../apimachinery/structural/of-message.ts';
import type { StructuralSchema } from '../../apimachinery/structural/schema.ts';
import type {
  ExpressionWarning,
  NamedRuleWithOperations,
  ValidatingAdmissionPolicy,
} from '../../generated/types/admissionregistration.v1.ts';
import type { Resource } from '../resource.ts';

/** So many kinds are looked at for one rule. */
export const MOST_KINDS = 10;

/** A resource that rules name one by one: of patterns nothing can be said. */
export interface Named {
  group: string;
  version: string;
  resource: string;
}

/** What a rule names, sorted; nothing where it has a pattern for its groups or versions. */
export function namedBy({ apiGroups = [], apiVersions = [], resources = [] }: NamedRuleWithOperations): Named[] {
  const isPattern = (text: string): boolean => text.includes('*');
  if (apiGroups.some(isPattern) || apiVersions.some(isPattern)) return [];
  const plain = resources.filter((resource) => !/[*/]/.test(resource)).sort();
  return [...apiGroups]
    .sort()
    .flatMap((group) =>
      [...apiVersions].sort().flatMap((version) => plain.map((resource) => ({ group, version, resource }))),
    );
}

/** What expressions see of a resource's objects; undefined where nothing is known of them. */
function declared(resource: Resource, name: string): Declared | undefined {
  const schema = resource.custom === undefined ? builtIn(resource) : custom(resource.custom.schema);
  return schema === undefined ? undefined : declare(schema, false, name);
}

function builtIn(resource: Resource): StructuralSchema | undefined {
  const message = schemaFor(formatApiVersion(resource), resource.kind);
  return message === undefined ? undefined : structuralOf(message);
}

/** A definition says little of the metadata, which is that of any object. */
function custom(schema: StructuralSchema | undefined): StructuralSchema | undefined {
  const message = schemaFor('v1', 'ConfigMap');
  const { metadata, kind, apiVersion } = message === undefined ? {} : (structuralOf(message).properties ?? {});
  if (schema === undefined || metadata === undefined) return undefined;
  const properties = { ...schema.properties, metadata };
  return { ...schema, properties: { ...properties, ...(kind && { kind }), ...(apiVersion && { apiVersion }) } };
}

const nameOf = ({ group, version, kind }: Resource): string => `${group}/${version}, Kind=${kind}`;

/** Warnings about the expressions of a policy that matches these resources; `params`: the resource of its parameters. */
export function typeWarnings(
  { spec = {} }: ValidatingAdmissionPolicy,
  matched: readonly Resource[],
  params: Resource | undefined,
): ExpressionWarning[] {
  const paramType = params === undefined ? undefined : declared(params, 'paramsType');
  const compilers = sortedKinds(matched).flatMap((resource) => {
    const object = declared(resource, 'objectType');
    if (object === undefined) return [];
    const compiler = new PolicyCompiler(spec.paramKind !== undefined, { object, params: paramType });
    for (const { name = '', expression = '' } of spec.variables ?? []) compiler.variable(name, expression);
    return [{ kind: nameOf(resource), compiler }];
  });
  const warnings: ExpressionWarning[] = [];
  const check = (expression: string, fieldRef: string): void => {
    const problems = compilers.flatMap(({ kind, compiler }) => {
      const problem = compiler.typeProblem(expression);
      return problem === undefined ? [] : [`${kind}: ${problem}\n`];
    });
    if (problems.length > 0) warnings.push({ fieldRef, warning: problems.join('\n') });
  };
  spec.validations?.forEach(({ expression = '', messageExpression = '' }, index) => {
    check(expression, `spec.validations[${index}].expression`);
    if (messageExpression !== '') check(messageExpression, `spec.validations[${index}].messageExpression`);
  });
  return warnings;
}

/** By group, version and kind, each once. */
function sortedKinds(resources: readonly Resource[]): Resource[] {
  const key = ({ group, version, kind }: Resource): string => `${group}\0${version}\0${kind}`;
  const byKind = new Map(resources.map((resource) => [key(resource), resource]));
  return [...byKind].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, resource]) => resource);
}
