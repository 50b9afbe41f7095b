/** The modes of constrained impersonation, and what whom they are for is called. */
import { type FieldError, toMessage } from '../../apimachinery/field.ts';
import { isDns1123Label, isDns1123Subdomain } from '../../apimachinery/names.ts';
import { domainPrefixedPath } from '../../resources/validation/formats.ts';
import { MASTERS, NODE_PREFIX, type User } from '../authentication/user.ts';

/** A mode: whom it lets whom be. */
export interface Mode {
  name: string;
  /** Leave is asked for all nodes at once. */
  anyNode?: boolean;
  applies(wanted: User, requestor: User): boolean;
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]*):([^:]*)$/;
const NODE_NAME = 'authentication.kubernetes.io/node-name';

/** The ServiceAccount of a user name; undefined for others (`SplitUsername`). */
export function accountOf(user: string): { namespace: string; name: string } | undefined {
  const [, namespace = '', name = ''] = SERVICE_ACCOUNT.exec(user) ?? [];
  if (isDns1123Label(namespace).length > 0 || isDns1123Subdomain(name).length > 0) return undefined;
  return { namespace, name };
}

/** The node of a user name; undefined for others. */
export function nodeOf(user: string): string | undefined {
  const name = user.startsWith(NODE_PREFIX) ? user.slice(NODE_PREFIX.length) : '';
  return isDns1123Subdomain(name).length === 0 ? name : undefined;
}

const onlyNamed = ({ uid, groups, extra }: User): boolean =>
  uid === '' && groups.length === 0 && Object.keys(extra).length === 0;

/** In the order in which they are tried, before impersonation as it was without them. */
export const MODES: readonly Mode[] = [
  {
    name: 'associated-node',
    anyNode: true,
    applies(wanted, requestor) {
      const own = requestor.extra[NODE_NAME] ?? [];
      const node = nodeOf(wanted.name);
      return onlyNamed(wanted) && accountOf(requestor.name) !== undefined && own.length === 1 && own[0] === node;
    },
  },
  { name: 'arbitrary-node', applies: (wanted) => onlyNamed(wanted) && nodeOf(wanted.name) !== undefined },
  { name: 'serviceaccount', applies: (wanted) => onlyNamed(wanted) && accountOf(wanted.name) !== undefined },
  {
    name: 'user-info',
    applies: ({ name }) => nodeOf(name) === undefined && accountOf(name) === undefined,
  },
];

/** What no mode allows of groups: which one, and why. */
export function groupProblem(groups: readonly string[]): { name: string; why: string } | undefined {
  if (groups.includes('')) return { name: '', why: 'impersonating the empty string group is not allowed' };
  if (groups.includes(MASTERS)) return { name: MASTERS, why: 'impersonating the system:masters group is not allowed' };
  return undefined;
}

/** What no mode allows of a user's extra fields. */
export function extraProblem(extra: User['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const errors: FieldError[] = [];
    domainPrefixedPath(key, 'extra.key', errors);
    const texts = errors.map(toMessage);
    if (texts.length > 0) {
      const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
      return `impersonating an invalid key in extra is not allowed: ${all}`;
    }
    if (key !== key.toLowerCase()) {
      return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}
