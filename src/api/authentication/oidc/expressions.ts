/** The CEL expressions of an authenticator: they speak of the token's `claims`, or of the `user` that was made of them. */
import { environmentWith } from '../../../apimachinery/cel/environment.ts';
import { failureOf } from '../../../apimachinery/cel/failure.ts';
import { type Node, visit } from '../../../apimachinery/cel/nodes.ts';
import { type Compiled, compile, type Program, unfitText } from '../../../apimachinery/cel/program.ts';

const USER = { username: 'string', uid: 'string', groups: 'list<string>', extra: 'map<string, list<string>>' };

type Environment = ReturnType<typeof environmentWith>;

let claims: Environment | undefined;
let user: Environment | undefined;

/** What an expression speaks of. */
export type Subject = 'claims' | 'user';

function environmentOf(subject: Subject): Environment {
  if (subject === 'claims') {
    claims ??= environmentWith({ claims: 'map<string, dyn>' });
    return claims;
  }
  if (user === undefined) {
    user = environmentWith({});
    user.registerVariable('user', { schema: USER });
  }
  return user;
}

/** A program, or what upstream says of an expression that is none; a condition must be a bool as far as can be known. */
export function expression(text: string, subject: Subject, isCondition = false): Compiled {
  const compiled = compile(text, environmentOf(subject));
  if ('problem' in compiled) return { ...compiled, problem: unfitText(compiled) };
  if (isCondition && compiled.program.type !== 'bool') return { problem: 'must evaluate to bool' };
  return compiled;
}

/** The value of a program. Throws an Error in upstream's words. */
export function evaluate(text: string, program: Program, subject: Subject, value: unknown): unknown {
  try {
    return program.evaluate({ [subject]: value });
  } catch (error) {
    throw new Error(`expression '${text}' resulted in error: ${failureOf(error)}`);
  }
}

/** Whether a program reads a claim by its name: `claims.email`, `claims.?email`. */
export function usesClaim({ root }: Program, name: string): boolean {
  let uses = false;
  visit(root, ({ op, args }) => {
    if ((op !== '.' && op !== '.?') || !Array.isArray(args)) return;
    const [operand, field] = args as [Node, unknown];
    uses ||= operand.op === 'id' && operand.args === 'claims' && field === name;
  });
  return uses;
}
