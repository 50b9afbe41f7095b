/** MutatingAdmissionPolicy: changes in CEL that an administrator binds to what requests ask for (upstream's `mutating.dispatcher`). */
import { toCel } from '../../../../apimachinery/cel/values.ts';
import { forbidden, type StatusError } from '../../../../apimachinery/errors.ts';
import type { Json, KubeObject } from '../../../../apimachinery/meta.ts';
import type { HookFact } from '../../../../durable-objects/cluster-rpc.ts';
import type { Resource } from '../../../../resources/resource.ts';
import { ReviewBindings } from '../../hooks/bindings.ts';
import { COST_BUDGET, evaluate, meets, OUT_OF_BUDGET } from '../../hooks/conditions.ts';
import { MUTATING_POLICIES } from '../../hooks/facts.ts';
import { inVersionOf } from '../../hooks/match.ts';
import { type Mutable, mutableWrite, replaceObject } from '../../hooks/replace.ts';
import { type Review, rulesOf } from '../../hooks/review.ts';
import type { AdmissionPlugin } from '../../plugin.ts';
import { invocationsOf } from '../invocations.ts';
import { type CompiledMutatingPolicy, type CompiledMutation, MUTATING } from './compile.ts';
import { MutationError, patched } from './patch.ts';

export const mutatingPolicy: AdmissionPlugin = {
  name: 'MutatingAdmissionPolicy',
  handles: (operation) => concernedBy(operation).length > 0,
  admit: (attributes) => mutateByPolicies(mutableWrite(attributes)),
};

const concernedBy = (operation: Pick<Review, 'context' | 'resource' | 'operation' | 'subresource'>) =>
  rulesOf(operation.context)?.hooks.concerned(MUTATING_POLICIES, operation) ?? [];

/** One policy with one binding and one object of parameters. */
interface Turn {
  policy: CompiledMutatingPolicy;
  binding: string;
  matched: Resource;
  param: KubeObject | null;
}

interface Failure {
  policy: string;
  binding?: string;
  problem: string;
  /** Of the refusal; what is wrongly configured is merely forbidden. */
  reason: 'Forbidden' | 'Invalid';
}

/** Lets the policies change the object. Throws what the first failure is of those that must not fail. */
export async function mutateByPolicies(mutable: Mutable): Promise<void> {
  const review = mutable.review();
  const concerned = concernedBy(review);
  if (concerned.length > 0) await askMutatingPolicies(mutable, review, concerned);
}

async function askMutatingPolicies(mutable: Mutable, review: Review, concerned: readonly HookFact[]): Promise<void> {
  const failures: Failure[] = [];
  const turns: Turn[] = [];
  for (const found of await invocationsOf(review, concerned, MUTATING)) {
    const { policy } = found;
    if ('problem' in found) {
      if (policy.fails) failures.push({ ...found, policy: policy.name, reason: 'Forbidden' });
      continue;
    }
    const binding = found.binding.metadata.name;
    turns.push(...found.params.map((param) => ({ policy, binding, matched: found.matched, param })));
  }
  for (const turn of turns) {
    const problems = await take(mutable, turn);
    if (!turn.policy.fails) continue;
    const { policy, binding } = turn;
    failures.push(
      ...problems.map((problem) => ({ policy: policy.name, binding, problem, reason: 'Invalid' as const })),
    );
  }
  if (failures.length > 0) throw refusal(review, failures);
}

/** All mutations of a policy, each of what the one before has made; the problems of those that fail. */
async function take(mutable: Mutable, turn: Turn): Promise<string[]> {
  const { policy, binding, param } = turn;
  const { reinvocation } = mutable;
  const { namespace = '', name = '' } = param?.metadata ?? {};
  const id = `policy ${policy.name} ${binding} ${namespace}/${name}`;
  const met = meets(policy.conditions, await bindingsOf(mutable, turn), { left: COST_BUDGET });
  if (met === false) return [];
  if (met !== true) return [met.error];
  if (reinvocation?.skips(id)) return [];
  const problems: string[] = [];
  let changed = false;
  for (const mutation of policy.mutations) {
    try {
      if (await mutate(mutable, turn, mutation)) changed = true;
    } catch (error) {
      if (!(error instanceof MutationError)) throw error;
      problems.push(error.message);
    }
  }
  reinvocation?.asked(id, changed, policy.mayAgain);
  return problems;
}

/** Whether the mutation changed anything. Throws a MutationError. */
async function mutate(mutable: Mutable, turn: Turn, mutation: CompiledMutation): Promise<boolean> {
  const { policy, matched } = turn;
  const budget = { left: COST_BUDGET };
  const bindings = policy.compiler.bind(await bindingsOf(mutable, turn), budget);
  const result = evaluate(mutation, bindings, budget);
  if (budget.left < 0) throw new MutationError(OUT_OF_BUDGET);
  if ('error' in result) throw new MutationError(result.error);
  const { context, resource, object } = mutable.review();
  if (object === undefined) return false;
  const seen = await inVersionOf(context, matched, resource, object);
  const made = patched(seen, matched, mutation.patchType, result.value);
  return made !== undefined && replaceObject(mutable, matched, made, true);
}

/** What the policy's expressions speak of, as it is now. */
async function bindingsOf(mutable: Mutable, { policy, matched, param }: Turn) {
  const values = await new ReviewBindings(mutable.review()).for(matched);
  return policy.paramKind === undefined ? values : { ...values, params: toCel(param as unknown as Json) };
}

function refusal({ resource, name }: Review, failures: readonly Failure[]): StatusError {
  const messages = failures.map(({ policy, binding, problem }) =>
    binding === undefined
      ? `policy ${JSON.stringify(policy)} denied request: ${problem}`
      : `policy '${policy}' with binding '${binding}' denied request: ${problem}`,
  );
  const error = forbidden(resource, name, '');
  const { status } = error;
  status.message = messages[0] as string;
  status.reason = failures[0]?.reason ?? 'Forbidden';
  status.details = { ...status.details, causes: messages.map((message) => ({ message })) };
  return error;
}
