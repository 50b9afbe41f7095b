/** What admission policies of both kinds are made of. */
import { PolicyCompiler } from '../../../apimachinery/cel/policy.ts';
import type { KubeObject } from '../../../apimachinery/meta.ts';
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  Variable,
} from '../../../generated/types/admissionregistration.v1.ts';
import { type Condition, compileConditions } from '../hooks/conditions.ts';

/** What policies of both kinds have. */
export interface AnyPolicy {
  name: string;
  match: MatchResources;
  paramKind: ParamKind | undefined;
  /** `failurePolicy` is Fail. */
  fails: boolean;
  /** Of its expressions: it knows the variables. */
  compiler: PolicyCompiler;
  conditions: readonly Condition[];
}

interface PolicySpec {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  matchConditions?: MatchCondition[];
  variables?: Variable[];
  failurePolicy?: string;
}

/** What policies of both kinds have, compiled. */
export function compileAny({ metadata, spec = {} }: KubeObject & { spec?: PolicySpec }): AnyPolicy {
  const { paramKind, matchConstraints = {}, variables = [] } = spec;
  const compiler = new PolicyCompiler(paramKind !== undefined);
  const conditions = compileConditions(spec.matchConditions, compiler);
  for (const { name = '', expression = '' } of variables) compiler.variable(name, expression);
  const fails = spec.failurePolicy !== 'Ignore';
  return { name: metadata.name, match: matchConstraints, paramKind, fails, compiler, conditions };
}
