/** `zeroplane token`: bootstrap tokens, with which machines join. */
import type { HttpClient } from '../../agent/client.ts';
import { caHash, certificatesOf } from '../../agent/discovery.ts';
import {
  BOOTSTRAP_GROUP,
  BOOTSTRAP_TOKEN,
  BOOTSTRAP_TOKEN_TYPE,
  bootstrapTokenSecret,
  NODE_GROUP,
  newBootstrapToken,
  TOKEN_SECRET_PREFIX,
  type TokenSecret,
  tokenExpiry,
  tokenField,
  USAGES,
} from '../../src/apimachinery/bootstrap-token.ts';
import { parseDuration } from '../../src/apimachinery/duration.ts';
import { isReason } from '../../src/apimachinery/errors.ts';
import { type Command, parseOptions, UserError } from '../command.ts';
import { CONNECTION_HELP, CONNECTION_OPTIONS, type Connection, withConnection } from '../connect.ts';
import { shortDuration, table } from '../table.ts';
import { describeCluster } from '../up/cluster-info.ts';

const HELP = `Usage: zeroplane token create [TOKEN] [OPTIONS]
       zeroplane token list [OPTIONS]
       zeroplane token delete ID… [OPTIONS]

Tokens with which machines join as nodes. create prints the line that does it, to be run on the machine.

Options:
${CONNECTION_HELP}  --ttl DURATION    how long a new token is good, such as 2h30m, or in seconds; 0: without an end (default 24h)
  --description TEXT
  --groups GROUP    whom its bearer belongs to; may be repeated (default ${NODE_GROUP})
  --usages USAGE    authentication or signing; may be repeated (default both)
  --output json     for machines

Examples:
  BOOTSTRAP_SECRET=… npm run zeroplane -- token create --server https://zeroplane.example.workers.dev
  npm run zeroplane -- token list --kubeconfig .zeroplane/kubeconfig
`;

const SECRETS = 'core/secrets';
const NAMESPACE = 'kube-system';
/** kubeadm's. */
const PADDING = 3;
const ID = /^[a-z0-9]{6}$/;

type Values = ReturnType<typeof optionsOf>['values'];

const optionsOf = (args: string[]) =>
  parseOptions({
    args,
    allowPositionals: true,
    options: {
      ...CONNECTION_OPTIONS,
      ttl: { type: 'string', default: '24h' },
      description: { type: 'string' },
      groups: { type: 'string', multiple: true, default: [NODE_GROUP] },
      usages: { type: 'string', multiple: true, default: [...USAGES] },
      output: { type: 'string', short: 'o' },
    },
  });

export const token: Command = {
  name: 'token',
  summary: 'make, list and delete tokens with which machines join',
  help: HELP,
  async run(args) {
    const { values, positionals } = optionsOf(args);
    const [what, ...rest] = positionals;
    const json = values.output === 'json';
    if (values.output !== undefined && !json) throw new UserError('--output is json.', 2);
    if (what === 'create' && rest.length <= 1) {
      const wanted = secretFor(rest[0] ?? newBootstrapToken(), values);
      print(json, await withConnection(values, (connection) => create(connection, wanted)), ({ join }) => `${join}\n`);
    } else if (what === 'list' && rest.length === 0) {
      print(json, await withConnection(values, ({ client }) => list(client)), listed);
    } else if (what === 'delete' && rest.length > 0) {
      const ids = rest.map(idOf);
      await withConnection(values, ({ client }) => remove(client, ids));
    } else throw new UserError('token create, token list, or token delete with one or more ids. See --help.', 2);
    return 0;
  },
};

function print<T>(json: boolean, value: T, text: (value: T) => string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text(value));
}

/** The token's Secret, as the options want it. Throws a UserError for what makes no sense. */
function secretFor(text: string, { ttl, description, groups, usages }: Values): TokenSecret {
  if (!BOOTSTRAP_TOKEN.test(text)) throw new UserError('a token looks like abcdef.0123456789abcdef.', 2);
  const lasts = /^\d+$/.test(ttl) ? Number(ttl) * 1000 : parseDuration(ttl);
  if (lasts === undefined || lasts < 0 || lasts > 1e14)
    throw new UserError('--ttl is a time such as 24h, or seconds.', 2);
  const group = groups.find((one) => !BOOTSTRAP_GROUP.test(one));
  if (group !== undefined)
    throw new UserError(`--groups must begin with system:bootstrappers:, which ${group} does not.`, 2);
  if (!usages.every((usage) => USAGES.some((one) => one === usage)))
    throw new UserError(`--usages are ${USAGES.join(' and ')}.`, 2);
  return bootstrapTokenSecret(text, {
    ...(lasts === 0 ? {} : { expiration: new Date(Date.now() + lasts).toISOString().replace(/\.\d+/, '') }),
    ...(description === undefined ? {} : { description }),
    groups,
    usages,
  });
}

async function create({ client, server, ca }: Connection, secret: TokenSecret) {
  const id = tokenField(secret, 'token-id');
  if (ca !== undefined) await describeCluster(client, server, ca);
  try {
    await client.create(SECRETS, secret);
  } catch (error) {
    if (isReason(error, 'AlreadyExists')) throw new UserError(`a token with id "${id}" already exists.`);
    throw error;
  }
  const text = `${id}.${tokenField(secret, 'token-secret')}`;
  const hashes = certificatesOf(ca ?? '').map(caHash);
  const pins = hashes.map((hash) => ` --ca-hash ${hash}`).join('');
  const join = `node cli/bootstrap.mjs node join --server ${server} --bootstrap-token ${text}${pins}`;
  return { token: text, expirationTimestamp: tokenField(secret, 'expiration') || null, caHashes: hashes, join };
}

async function list(client: HttpClient) {
  const fieldSelector = `type=${BOOTSTRAP_TOKEN_TYPE}`;
  const { items } = await client.list<TokenSecret>(SECRETS, { namespace: NAMESPACE, fieldSelector });
  return items.map((secret) => ({
    token: `${tokenField(secret, 'token-id')}.${tokenField(secret, 'token-secret')}`,
    expires: tokenField(secret, 'expiration') || undefined,
    ttl: tokenExpiry(secret) - Date.now(),
    usages: USAGES.filter((usage) => tokenField(secret, `usage-bootstrap-${usage}`) === 'true'),
    description: tokenField(secret, 'description'),
    groups: tokenField(secret, 'auth-extra-groups').split(',').filter(Boolean),
  }));
}

function listed(tokens: Awaited<ReturnType<typeof list>>): string {
  const some = (text: string): string => (text === '' ? '<none>' : text);
  const rows = tokens.map(({ token, expires, ttl, usages, description, groups }) => [
    token,
    expires === undefined ? '<forever>' : shortDuration(ttl),
    expires ?? '<never>',
    some(usages.join(',')),
    some(description),
    some(groups.join(',')),
  ]);
  return table([['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'], ...rows], PADDING);
}

/** The id in what may be a whole token. Throws a UserError for what is neither. */
function idOf(text: string): string {
  const [id = ''] = text.split('.');
  if (BOOTSTRAP_TOKEN.test(text) || ID.test(text)) return id;
  throw new UserError(`${JSON.stringify(text)} is neither a token nor a token's id, such as abcdef.`, 2);
}

async function remove(client: HttpClient, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await client.delete(SECRETS, NAMESPACE, TOKEN_SECRET_PREFIX + id);
    process.stdout.write(`bootstrap token ${JSON.stringify(id)} deleted\n`);
  }
}
