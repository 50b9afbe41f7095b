/** From a verified token's claims to a user, as a configuration says. Throws an Error in upstream's words for a token that does not do. */
import { toCel } from '../../../apimachinery/cel/values.ts';
import type { Json, JsonObject } from '../../../apimachinery/meta.ts';
import { AUTHENTICATED, type User } from '../user.ts';
import { evaluate } from './expressions.ts';
import type { Mapping, Ready, Rule } from './validate.ts';

type Claims = Readonly<JsonObject>;

/** The user that claims stand for. */
export function mapped(mapping: Mapping, claims: Claims): User {
  // Expressions are few: where there are none, nothing is made for them.
  let converted: unknown;
  const run = ({ text, program }: Ready): unknown => {
    converted ??= toCel(claims as JsonObject);
    return evaluate(text, program, 'claims', converted);
  };
  const user = {
    name: username(mapping, claims, run),
    groups: groups(mapping, claims, run),
    uid: uid(mapping, claims, run),
    extra: extra(mapping, run),
  };
  for (const { claim, value } of mapping.required) {
    const found = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    if (found === undefined) throw new Error(`oidc: required claim ${claim} not present in ID token`);
    if (typeof found !== 'string') throw new Error(`oidc: parse claim ${claim}: it is no string`);
    if (found !== value) {
      throw new Error(`oidc: required claim ${claim} value does not match. Got = ${found}, want = ${value}`);
    }
  }
  within('error evaluating claim validation expression', () => check(mapping.claimRules, run));
  const { name, ...rest } = user;
  const info = { username: name, ...rest, extra: new Map(Object.entries(user.extra)) };
  within('error evaluating user info validation rule', () =>
    check(mapping.userRules, ({ text, program }) => evaluate(text, program, 'user', info)),
  );
  return { ...user, groups: [...user.groups, AUTHENTICATED] };
}

type Run = (ready: Ready) => unknown;

function username({ username: source }: Mapping, claims: Claims, run: Run): string {
  if ('program' in source) {
    const name = within('error evaluating username claim expression', () =>
      text(run(source), 'username claim expression must return a string'),
    );
    if (name === '') throw new Error('oidc: empty username via CEL expression is not allowed');
    return name;
  }
  const what = `parse username claims ${JSON.stringify(source.claim)}`;
  const name = within(what, () => text(present(claims, source.claim), 'it is no string'));
  // A mailbox that nobody has shown to be theirs is not a name.
  if (source.claim === 'email' && Object.hasOwn(claims, 'email_verified')) {
    const verified = claims['email_verified'];
    if (typeof verified !== 'boolean') throw new Error("oidc: parse 'email_verified' claim: it is no boolean");
    if (!verified) throw new Error('oidc: email not verified');
  }
  return source.prefix + name;
}

function groups({ groups: source }: Mapping, claims: Claims, run: Run): string[] {
  if (source === undefined) return [];
  if ('program' in source) return within('error evaluating group claim expression', () => texts(run(source)));
  const { claim, prefix } = source;
  const found = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (found === undefined) return [];
  const names = Array.isArray(found) ? found : [found ?? ''];
  if (!names.every((name): name is string => typeof name === 'string')) {
    throw new Error(`oidc: parse groups claim ${JSON.stringify(claim)}: it is no string nor a list of strings`);
  }
  return names.map((name) => prefix + name);
}

function uid({ uid: source }: Mapping, claims: Claims, run: Run): string {
  if (source === undefined) return '';
  if ('program' in source) {
    const why = 'uid claim expression must return a string';
    return within('error evaluating uid claim expression', () => text(run(source), why));
  }
  const what = `parse uid claim ${JSON.stringify(source.claim)}`;
  return within(what, () => text(present(claims, source.claim), 'it is no string'));
}

function extra({ extra: mappings }: Mapping, run: Run): Record<string, string[]> {
  const all: Record<string, string[]> = {};
  for (const mapping of mappings) {
    const values = within('error evaluating extra claim expression', () => texts(run(mapping)));
    if (values.length > 0) all[mapping.key] = values;
  }
  return all;
}

function check(rules: readonly Rule[], run: Run): void {
  for (const rule of rules) {
    const holds = run(rule);
    if (typeof holds !== 'boolean') throw new Error('validation expression must return a boolean');
    if (!holds) throw new Error(`validation expression '${rule.text}' failed: ${rule.message}`);
  }
}

function within<T>(what: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new Error(`oidc: ${what}: ${(error as Error).message}`);
  }
}

function present(claims: Claims, name: string): Json {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  if (value === undefined) throw new Error('claim not present');
  return value;
}

function text(value: unknown, otherwise: string): string {
  if (typeof value !== 'string') throw new Error(otherwise);
  return value;
}

/** A text or a list of texts as a list; what is empty is as if it were not there. */
function texts(value: unknown): string[] {
  if (value === null) return [];
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (!list.every((one): one is string => typeof one === 'string')) {
    throw new Error('expression must return a string or a list of strings');
  }
  return list.filter((one) => one !== '');
}
