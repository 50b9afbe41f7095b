/** The expressions of admission policies and of webhooks' conditions: what they may speak of, and of what type they must be. */
import type { Environment } from '@marcbachmann/cel-js/evaluator';
import { type Declared, registerDeclared } from './declared.ts';
import { environmentWith } from './environment.ts';
import { failureOf } from './failure.ts';
import { authorizer } from './libraries/authorizer.ts';
import { JSON_PATCH, jsonPatch, mutationTypes } from './libraries/mutation.ts';
import { typeText } from './problem.ts';
import { type Budget, type Compiled, compile, type Program, unfitText } from './program.ts';
import { type Source, withConstructions } from './source.ts';

/** The types of `request`: the AdmissionRequest without its objects. */
const REQUEST_TYPES = {
  'kubernetes.GroupVersionKind': { group: 'string', version: 'string', kind: 'string' },
  'kubernetes.GroupVersionResource': { group: 'string', version: 'string', resource: 'string' },
  'kubernetes.UserInfo': {
    username: 'string',
    uid: 'string',
    groups: 'list<string>',
    extra: 'map<string, list<string>>',
  },
  'kubernetes.AdmissionRequest': {
    kind: 'kubernetes.GroupVersionKind',
    resource: 'kubernetes.GroupVersionResource',
    subResource: 'string',
    requestKind: 'kubernetes.GroupVersionKind',
    requestResource: 'kubernetes.GroupVersionResource',
    requestSubResource: 'string',
    name: 'string',
    namespace: 'string',
    operation: 'string',
    userInfo: 'kubernetes.UserInfo',
    dryRun: 'bool',
    options: 'dyn',
  },
};
/** Types that all libraries know what to do with; variables of others are found out about when they are computed. */
const PLAIN = /^(?:(?:list|map|bool|bytes|double|dyn|int|string|uint)[<>, ]*)+$/;
/** A type of which something is open. */
const ANY = /\b[A-Z]\b/;
const VARIABLES = 'kubernetes.variables';

/** What an expression may speak of beside the objects and the request. */
interface Spoken {
  params: boolean;
  authorizer: boolean;
}

/** Types of objects and of parameters, where expressions are to be checked against them; undefined: nothing is known. */
export interface PolicyTypes {
  object: Declared | undefined;
  params: Declared | undefined;
}

const UNKNOWN: PolicyTypes = { object: undefined, params: undefined };
const bases = new Map<string, Environment>();

function base(spoken: Spoken): Environment {
  const key = `${spoken.params} ${spoken.authorizer}`;
  const known = bases.get(key);
  if (known !== undefined) return known;
  const environment = environmentOf(spoken, UNKNOWN);
  bases.set(key, environment);
  return environment;
}

function environmentOf(spoken: Spoken, { object, params }: PolicyTypes): Environment {
  const environment = environmentWith({ namespaceObject: 'dyn' });
  if (object !== undefined) registerDeclared(environment, object);
  environment.registerVariable('object', object?.type ?? 'dyn');
  environment.registerVariable('oldObject', object?.type ?? 'dyn');
  for (const [name, fields] of Object.entries(REQUEST_TYPES)) environment.registerType(name, { fields });
  environment.registerVariable('request', 'kubernetes.AdmissionRequest');
  if (spoken.params) {
    if (params !== undefined) registerDeclared(environment, params);
    environment.registerVariable('params', params?.type ?? 'dyn');
  }
  if (spoken.authorizer) authorizer(environment);
  return environment;
}

/** The value of `variables`: each is worked out when it is first spoken of. */
abstract class VariableValues {
  readonly #read: (name: string) => unknown;

  constructor(read: (name: string) => unknown) {
    this.#read = read;
  }

  static declare(name: string, type: { prototype: object }): void {
    Object.defineProperty(type.prototype, name, {
      // Of two of one name the later is meant.
      configurable: true,
      get(this: VariableValues) {
        return this.#read(name);
      },
    });
  }
}

export type Bindings = Readonly<Record<string, unknown>>;

/** Compiles what belongs to one policy, in order: what comes later may speak of the variables before it. */
export class PolicyCompiler {
  private readonly params: boolean;
  private readonly checked: PolicyTypes | undefined;
  private readonly types: Record<string, string> = {};
  private readonly programs = new Map<string, Program>();
  private readonly values = class extends VariableValues {};
  private readonly environments = new Map<boolean, Environment>();

  private hasVariables = false;
  private typed: Environment | undefined;

  /** `checked`: what expressions are checked against; none of them is meant to be evaluated then. */
  constructor(params: boolean, checked?: PolicyTypes) {
    this.params = params;
    this.checked = checked;
  }

  /** Declares that there are variables, whatever comes of each: without any the word is not known. */
  withVariables(): void {
    this.hasVariables = true;
    this.environments.clear();
  }

  /** Adds a variable, or says what is wrong with it. One that is wrong is of any type to those that speak of it. */
  variable(name: string, expression: string): Compiled {
    this.withVariables();
    const compiled = this.expression(expression, []);
    this.types[name] = 'program' in compiled && this.knows(compiled.program.type) ? compiled.program.type : 'dyn';
    this.environments.clear();
    VariableValues.declare(name, this.values);
    if ('program' in compiled) this.programs.set(name, compiled.program);
    return compiled;
  }

  /** A program whose value is of one of the types; of any, where none are given. */
  expression(expression: string, types: readonly string[], withAuthorizer = true): Compiled {
    return compiled(expression, this.environment(withAuthorizer), types);
  }

  private knows(type: string): boolean {
    return PLAIN.test(type) || (this.checked !== undefined && !ANY.test(type));
  }

  /** What the types of an expression's parts say against it, in cel-go's words with the place. */
  typeProblem(expression: string): string | undefined {
    const found = compile(expression, this.environment(true));
    return 'problem' in found && found.internal !== true ? found.problem : undefined;
  }

  /** A program that says how an object is to be changed: an `Object`, or a list of `JSONPatch`. */
  mutation(expression: string, patchType: 'ApplyConfiguration' | 'JSONPatch'): Compiled {
    const source = withConstructions(expression);
    const environment = this.environment(true).clone() as unknown as Environment;
    jsonPatch(environment);
    mutationTypes(environment, source.types);
    return patchType === 'JSONPatch'
      ? compiled(source, environment, [`list<${JSON_PATCH}>`])
      : compiled(source, environment, ['Object']);
  }

  /** A condition that must hold for a request to be looked at; it knows no variables. */
  condition(expression: string): Compiled {
    return compiled(expression, base({ params: this.params, authorizer: true }), ['bool']);
  }

  /** The bindings with `variables`; what these cost is taken off the budget. */
  bind(bindings: Bindings, budget?: Budget): Bindings {
    const known = new Map<string, unknown>();
    const all: Record<string, unknown> = { ...bindings };
    all['variables'] = new this.values((name) => {
      if (!known.has(name)) known.set(name, this.compute(name, all, budget));
      return known.get(name);
    });
    return all;
  }

  private compute(name: string, bindings: Bindings, budget: Budget | undefined): unknown {
    const program = this.programs.get(name);
    if (program === undefined) throw new Error(`composited variable "${name}" fails to compile`);
    try {
      return program.evaluate(bindings, budget);
    } catch (error) {
      throw new Error(`composited variable "${name}" fails to evaluate: ${failureOf(error)}`);
    }
  }

  private around(spoken: Spoken): Environment {
    if (this.checked === undefined) return base(spoken);
    this.typed ??= environmentOf(spoken, this.checked);
    return this.typed;
  }

  private environment(withAuthorizer: boolean): Environment {
    const known = this.environments.get(withAuthorizer);
    if (known !== undefined) return known;
    const plain = this.around({ params: this.params, authorizer: withAuthorizer });
    if (!this.hasVariables) return plain;
    const environment = plain.clone() as unknown as Environment;
    environment.registerType(VARIABLES, { ctor: this.values, fields: { ...this.types } });
    environment.registerVariable('variables', VARIABLES);
    this.environments.set(withAuthorizer, environment);
    return environment;
  }
}

function compiled(expression: string | Source, environment: Environment, types: readonly string[]): Compiled {
  const found = compile(expression, environment);
  if ('problem' in found) return { ...found, problem: unfitText(found) };
  if (types.length === 0 || types.includes(found.program.type)) return found;
  const names = types.map(outputText);
  const wanted = names.length === 1 ? names[0] : `one of [${names.join(' ')}]`;
  return { problem: `must evaluate to ${wanted} but got ${outputText(found.program.type)}` };
}

/** A type by the name that it has where it is declared. */
const outputText = (type: string): string => typeText(type).replace(/\bnull\b/g, 'null_type');
