/** The rules of a schema (`x-kubernetes-validations`), compiled for the values that it declares. */
import { type Declared, registerDeclared } from '../../apimachinery/cel/declared.ts';
import { environmentWith } from '../../apimachinery/cel/environment.ts';
import { visit } from '../../apimachinery/cel/nodes.ts';
import { type Compiled, compile, type Program, unfitText } from '../../apimachinery/cel/program.ts';
import type { StructuralSchema, ValidationRule } from '../../apimachinery/structural/schema.ts';
import { fieldPathOf } from './field-path.ts';

/** A rule with its programs; the problems are upstream's words, for whoever made the rule. */
export interface CompiledRule {
  rule: ValidationRule;
  program?: Program;
  problem?: string;
  message?: Program;
  messageProblem?: string;
  usesOldSelf: boolean;
  /** Where its errors are, below the value: `low`; empty for the value itself. */
  fieldPath: string;
}

/** The rules of a schema and of all below it; only where there are any. */
export interface Level {
  schema: StructuralSchema;
  declared: Declared;
  rules: CompiledRule[];
  items?: Level;
  properties: ReadonlyMap<string, Level>;
  additional?: Level;
  allOf: Level[];
}

type Environment = ReturnType<typeof environmentWith>;

function environmentOf(declared: Declared, optionalOldSelf: boolean): Environment {
  const environment = environmentWith({});
  registerDeclared(environment, declared);
  environment.registerVariable('self', declared.type);
  environment.registerVariable('oldSelf', optionalOldSelf ? `optional<${declared.type}>` : declared.type);
  return environment;
}

/** Compiles the rules of one schema, not those below it. */
export function compileRules(
  rules: readonly ValidationRule[],
  declared: Declared,
  schema: StructuralSchema,
): CompiledRule[] {
  const environments = new Map<boolean, Environment>();
  const environmentFor = (rule: ValidationRule): Environment => {
    const optional = rule.optionalOldSelf === true;
    const environment = environments.get(optional) ?? environmentOf(declared, optional);
    environments.set(optional, environment);
    return environment;
  };
  return rules.map((rule) => compileRule(rule, schema, () => environmentFor(rule)));
}

function compileRule(rule: ValidationRule, schema: StructuralSchema, environment: () => Environment): CompiledRule {
  const path = rule.fieldPath ? fieldPathOf(rule.fieldPath, schema) : undefined;
  const result: CompiledRule = {
    rule,
    usesOldSelf: false,
    fieldPath: path !== undefined && 'path' in path ? path.path : '',
  };
  const expression = rule.rule ?? '';
  if (expression.trim() === '') return result;
  const compiled = ofType(compile(expression, environment()), 'bool', 'cel expression must evaluate to a bool');
  if ('problem' in compiled) return { ...result, problem: compiled.problem };
  result.program = compiled.program;
  result.usesOldSelf = mentions(compiled.program, 'oldSelf');
  if (!rule.messageExpression) return result;
  const mustBe = 'messageExpression must evaluate to a string';
  const message = ofType(compile(rule.messageExpression, environment()), 'string', mustBe, 'messageExpression ');
  return 'problem' in message
    ? { ...result, messageProblem: message.problem }
    : { ...result, message: message.program };
}

function ofType(compiled: Compiled, type: string, mustBe: string, what = ''): Compiled {
  if ('problem' in compiled) return { problem: `${what}${unfitText(compiled)}` };
  return compiled.program.type === type ? compiled : { problem: mustBe };
}

function mentions({ root }: Program, name: string): boolean {
  let found = false;
  visit(root, ({ op, args }) => {
    if (op === 'id' && args === name) found = true;
  });
  return found;
}
