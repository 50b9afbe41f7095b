/** CEL's grammar as a network of states, through which cel-go's parser finds its way. */
import type { Kind } from './lexer.ts';

export type RuleName = keyof typeof RULES;

/** A way from a state to the next: nothing is read, one of some tokens is, or a whole rule. */
export interface Edge {
  to: State;
  on?: readonly Kind[];
  call?: { rule: RuleName; level: number };
}

/** A state; `kind` is what the parser does there before it decides. */
export interface State {
  rule: RuleName;
  kind: 'plain' | 'block' | 'loop' | 'again';
  /** Whether the next token alone says which way to go. */
  short: boolean;
  /** Whether the last way leads past what stands here. */
  isOptional: boolean;
  /** Of a loop over operators: how strongly each binds. */
  levels?: Partial<Record<Kind, number>>;
  edges: Edge[];
}

type Part =
  | { is: 'token'; kinds: readonly Kind[] }
  | { is: 'rule'; rule: string; level: number }
  | { is: 'all'; parts: readonly Part[] }
  | { is: 'one'; of: readonly Part[]; short: boolean }
  | { is: 'maybe'; part: Part }
  | { is: 'any' | 'some'; part: Part; short: boolean; levels?: Partial<Record<Kind, number>> };

const t = (...kinds: Kind[]): Part => ({ is: 'token', kinds });
const r = (rule: string, level = 0): Part => ({ is: 'rule', rule, level });
const all = (...parts: Part[]): Part => ({ is: 'all', parts });
const one = (...of: Part[]): Part => ({ is: 'one', of, short: false });
const maybe = (part: Part): Part => ({ is: 'maybe', part });
const any = (part: Part, short = true): Part => ({ is: 'any', part, short });
const some = (part: Part, short: boolean): Part => ({ is: 'some', part, short });
const operators = (part: Part, levels: Partial<Record<Kind, number>>): Part => ({
  is: 'any',
  part,
  short: false,
  levels,
});

const RELATIONS = ["'=='", "'!='", "'in'", "'<'", "'<='", "'>='", "'>'"] as const;
const TIMES = ["'*'", "'/'", "'%'"] as const;
const PLUS = ["'-'", "'+'"] as const;
const at = (kinds: readonly Kind[], level: number) => Object.fromEntries(kinds.map((kind) => [kind, level]));
const entry = (name: Part): Part => all(name, t("':'"), r('expr'));
const list = (item: Part): Part => all(item, any(all(t("','"), item), false));
const dotted = (...parts: Part[]): Part => all(maybe(t("'.'")), t('IDENTIFIER'), ...parts);
const call = all(t("'('"), maybe(r('exprList')), t("')'"));

const RULES = {
  start: all(r('expr'), t('<EOF>')),
  expr: all(r('conditionalOr'), maybe(all(t("'?'"), r('conditionalOr'), t("':'"), r('expr')))),
  conditionalOr: all(r('conditionalAnd'), any(all(t("'||'"), r('conditionalAnd')))),
  conditionalAnd: all(r('relation'), any(all(t("'&&'"), r('relation')))),
  relation: all(r('calc'), operators(all(t(...RELATIONS), r('relation', 2)), at(RELATIONS, 1))),
  calc: all(
    r('unary'),
    operators(one(all(t(...TIMES), r('calc', 3)), all(t(...PLUS), r('calc', 2))), {
      ...at(TIMES, 2),
      ...at(PLUS, 1),
    }),
  ),
  unary: one(r('member'), all(some(t("'!'"), true), r('member')), all(some(t("'-'"), false), r('member'))),
  member: all(
    r('primary'),
    operators(
      one(
        all(t("'.'"), maybe(t("'?'")), r('escapeIdent')),
        all(t("'.'"), t('IDENTIFIER'), call),
        all(t("'['"), maybe(t("'?'")), r('expr'), t("']'")),
      ),
      at(["'.'", "'['"], 1),
    ),
  ),
  primary: one(
    dotted(),
    dotted(call),
    all(t("'('"), r('expr'), t("')'")),
    all(t("'['"), maybe(r('listInit')), maybe(t("','")), t("']'")),
    all(t("'{'"), maybe(r('mapInitializerList')), maybe(t("','")), t("'}'")),
    dotted(any(all(t("'.'"), t('IDENTIFIER'))), t("'{'"), maybe(r('fieldInitializerList')), maybe(t("','")), t("'}'")),
    r('literal'),
  ),
  exprList: all(r('expr'), any(all(t("','"), r('expr')))),
  listInit: list(r('optExpr')),
  fieldInitializerList: list(entry(r('optField'))),
  optField: all(maybe(t("'?'")), r('escapeIdent')),
  mapInitializerList: list(entry(r('optExpr'))),
  escapeIdent: { is: 'one', of: [t('IDENTIFIER'), t('ESC_IDENTIFIER')], short: true } as Part,
  optExpr: all(maybe(t("'?'")), r('expr')),
  literal: one(
    all(maybe(t("'-'")), t('NUM_INT')),
    t('NUM_UINT'),
    all(maybe(t("'-'")), t('NUM_FLOAT')),
    t('STRING'),
    t('BYTES'),
    t("'true'"),
    t("'false'"),
    t("'null'"),
  ),
};

/** Where a rule begins, and where it ends. */
export interface Span {
  start: State;
  stop: State;
}

/** Each rule's states. */
export const NETWORK = network();
/** Of each rule: what comes after it, wherever it stands. */
export const AFTER = after();

function network(): Record<RuleName, Span> {
  const spans = Object.entries(RULES).map(([name, part]) => {
    const rule = name as RuleName;
    const stop = state(rule);
    const start = state(rule);
    start.edges.push({ to: built(part, rule, stop) });
    return [name, { start, stop }];
  });
  return Object.fromEntries(spans) as Record<RuleName, Span>;
}

function state(rule: RuleName, kind: State['kind'] = 'plain', short = true): State {
  return { rule, kind, short, isOptional: false, edges: [] };
}

/** The state at which a part begins that leads to `next`. */
function built(part: Part, rule: RuleName, next: State): State {
  switch (part.is) {
    case 'token':
      return { ...state(rule), edges: [{ to: next, on: part.kinds }] };
    case 'rule':
      return { ...state(rule), edges: [{ to: next, call: { rule: part.rule as RuleName, level: part.level } }] };
    case 'all':
      return part.parts.reduceRight((to, inner) => built(inner, rule, to), next);
    case 'one':
      return { ...state(rule, 'block', part.short), edges: part.of.map((inner) => ({ to: built(inner, rule, next) })) };
    case 'maybe':
      return { ...state(rule, 'block'), isOptional: true, edges: [{ to: built(part.part, rule, next) }, { to: next }] };
    case 'any': {
      const loop: State = { ...state(rule, 'loop', part.short), isOptional: true };
      if (part.levels !== undefined) loop.levels = part.levels;
      const again: State = { ...state(rule, 'again'), edges: [{ to: loop }] };
      loop.edges.push({ to: built(part.part, rule, again) }, { to: next });
      return loop;
    }
    case 'some': {
      const again: State = { ...state(rule, 'again', part.short), isOptional: true };
      const body = built(part.part, rule, again);
      again.edges.push({ to: body }, { to: next });
      return { ...state(rule, 'block'), edges: [{ to: body }] };
    }
  }
}

function after(): Record<RuleName, State[]> {
  const found = Object.fromEntries(Object.keys(RULES).map((name) => [name, [] as State[]])) as Record<
    RuleName,
    State[]
  >;
  const seen = new Set<State>();
  const walk = (from: State): void => {
    if (seen.has(from)) return;
    seen.add(from);
    for (const { to, call: called } of from.edges) {
      if (called !== undefined) found[called.rule].push(to);
      walk(to);
    }
  };
  for (const { start } of Object.values(NETWORK)) walk(start);
  return found;
}
