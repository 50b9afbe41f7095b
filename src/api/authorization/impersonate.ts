/** Acting as somebody else (`kubectl --as`), after upstream's `WithConstrainedImpersonation`: allowed piece by piece, then the request is the other's. */
import { badRequest, StatusError } from '../../apimachinery/errors.ts';
import { ANONYMOUS, AUTHENTICATED, NODES, type User } from '../authentication/user.ts';
import type { Attributes } from './attributes.ts';
import { denied, permit } from './authorize.ts';
import type { Authorizer } from './authorizer.ts';
import { accountOf, extraProblem, groupProblem, MODES, type Mode, nodeOf } from './impersonation-modes.ts';

const USER = 'impersonate-user';
const UID = 'impersonate-uid';
const GROUP = 'impersonate-group';
const EXTRA = 'impersonate-extra-';
const AUTHENTICATION = 'authentication.k8s.io';

/**
 * Who the request acts as: the user, or whom its headers name. `asked` is what the request wants, looked at only where there are such
 * headers. Throws Forbidden for what the user may not impersonate, and BadRequest for headers that name no user.
 */
export function impersonated(
  headers: Headers,
  user: User,
  authorizer: Authorizer,
  asked: () => Attributes,
): User | Promise<User> {
  const name = headers.get(USER) ?? '';
  if (name === '' && !namesOthers(headers)) return user;
  const groups = valuesOf(headers.get(GROUP));
  const wanted = { name, uid: headers.get(UID) ?? '', groups, extra: extraOf(headers) };
  if (name === '') throw badRequest(`requested ${goUser(wanted)} without impersonating a user name`);
  return become(wanted, user, authorizer, asked());
}

function namesOthers(headers: Headers): boolean {
  if (headers.has(GROUP) || headers.get(UID)) return true;
  for (const header of headers.keys()) if (header.startsWith(EXTRA)) return true;
  return false;
}

/** Headers of one name arrive as one. */
const valuesOf = (header: string | null): string[] => (header === null ? [] : header.split(', '));

/** By which mode somebody was last allowed to be somebody else: tried first the next time, as upstream does. */
const lastModes = new WeakMap<User, Mode | 'legacy'>();

async function become(wanted: User, user: User, authorizer: Authorizer, asked: Attributes): Promise<User> {
  const last = lastModes.get(user);
  const rest = [...MODES, 'legacy' as const].filter((mode) => mode !== last);
  let refused: StatusError | undefined;
  for (const mode of last === undefined ? rest : [last, ...rest]) {
    if (mode !== 'legacy' && !mode.applies(wanted, user)) continue;
    try {
      const asking: Asking = { user, authorizer, verb: mode === 'legacy' ? 'impersonate' : `impersonate:${mode.name}` };
      if (mode === 'legacy') await ask(asking, wanted);
      else await askInMode(asking, mode, wanted, asked);
      lastModes.set(user, mode);
      return withGroups(
        mode !== 'legacy' && nodeOf(wanted.name) !== undefined ? { ...wanted, groups: [NODES] } : wanted,
      );
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      // What the first mode had against it is told.
      refused ??= error;
    }
  }
  throw refused;
}

/** Who asks whom for leave to do what. */
interface Asking {
  user: User;
  authorizer: Authorizer;
  verb: string;
}

/** In a mode one needs leave for what is asked as well, and not everything can be had. Throws Forbidden. */
async function askInMode(asking: Asking, mode: Mode, wanted: User, asked: Attributes): Promise<void> {
  const { user, authorizer, verb } = asking;
  await permit(authorizer, user, { ...asked, verb: `impersonate-on:${mode.name}:${asked.verb}` });
  const node = nodeOf(wanted.name);
  if (node !== undefined) {
    await permit(authorizer, user, {
      ...NOTHING,
      verb,
      group: AUTHENTICATION,
      resource: 'nodes',
      name: mode.anyNode ? '*' : node,
    });
    return;
  }
  await ask(asking, wanted, AUTHENTICATION);
}

/** Asks for each piece of the user; users and groups are of the group `group`. Throws Forbidden. */
async function ask({ user, authorizer, verb }: Asking, { name, groups, uid, extra }: User, group = ''): Promise<void> {
  const may = (attributes: Partial<Attributes>): void | Promise<void> =>
    permit(authorizer, user, { ...NOTHING, verb, group: AUTHENTICATION, ...attributes });
  const account = accountOf(name);
  await may(
    account === undefined ? { group, resource: 'users', name } : { group, resource: 'serviceaccounts', ...account },
  );
  if (uid !== '') await may({ resource: 'uids', name: uid });
  const problem = group === '' ? undefined : groupProblem(groups);
  if (problem !== undefined) {
    throw denied(user, { ...NOTHING, verb, group, resource: 'groups', name: problem.name }, problem.why);
  }
  for (const each of groups) await may({ group, resource: 'groups', name: each });
  const why = group === '' ? undefined : extraProblem(extra);
  if (why !== undefined) throw denied(user, { ...NOTHING, verb, group, resource: 'userextras' }, why);
  for (const [key, values] of Object.entries(extra)) {
    for (const value of values) await may({ resource: 'userextras', subresource: key, name: value });
  }
}

const NOTHING: Attributes = {
  verb: '',
  isResource: true,
  group: '',
  resource: '',
  subresource: '',
  namespace: '',
  name: '',
  path: '',
};

/** A service account has its groups where none are named; everybody is authenticated or not. */
function withGroups(user: User): User {
  const account = accountOf(user.name);
  const all =
    user.groups.length === 0 && account !== undefined
      ? ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`]
      : [...user.groups];
  const [unauthenticated = ''] = ANONYMOUS.groups;
  const own = user.name === ANONYMOUS.name ? unauthenticated : AUTHENTICATED;
  return { ...user, groups: all.includes(own) || all.includes(unauthenticated) ? all : [...all, own] };
}

function extraOf(headers: Headers): Record<string, string[]> {
  const extra: Record<string, string[]> = {};
  for (const [header, value] of headers) {
    if (header.startsWith(EXTRA)) extra[unescaped(header.slice(EXTRA.length))] = valuesOf(value);
  }
  return extra;
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

/** The user as Go shows it. */
function goUser({ name, uid, groups, extra }: User): string {
  const strings = (values: readonly string[]): string =>
    values.length === 0 ? '[]string(nil)' : `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}`;
  const entries = Object.entries(extra).sort(([a], [b]) => (a < b ? -1 : 1));
  const shown = entries.map(([key, values]) => `${JSON.stringify(key)}:${strings(values)}`).join(', ');
  const map = entries.length === 0 ? 'map[string][]string(nil)' : `map[string][]string{${shown}}`;
  const of = `Name:${JSON.stringify(name)}, UID:${JSON.stringify(uid)}, Groups:${strings(groups)}, Extra:${map}`;
  return `&user.DefaultInfo{${of}}`;
}
