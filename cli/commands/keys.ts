/** `zeroplane keys`: the keys and CAs of a deployment's cluster, and how to change them. */
import { type Command, parseOptions, UserError } from '../command.ts';
import { CONNECTION_OPTIONS, keeperOf } from '../connect.ts';
import { table } from '../table.ts';
import { requestKeys } from '../up/credentials.ts';

const HELP = `Usage: zeroplane keys list|rotate|retire [OPTIONS]

  list          shows the keys that sign tokens, the CAs, and the keys that encrypt what is stored
  rotate        makes new keys; what the old ones have signed or encrypted stays good. A new CA is made only
                where --only says so
  retire ID     believes an old signing key or CA no longer: every token or certificate that it has signed
                is refused

A new signing key is shown for an hour before it signs, since others may keep the list of public keys for so
long. The old one verifies as long as a token of its can live. What is stored is rewritten in the background. A new CA is trusted at once, beside the old one, and signs after an hour; the old one is trusted
until it is retired.

Options:
  --server URL      the API server; a path /clusters/NAME chooses a cluster
  --secret TEXT     the deployment's BOOTSTRAP_SECRET (or the environment's)
  --ca FILE         the CA of the server's certificate, where it is not a public one
  --kubeconfig FILE instead of --server and --ca (default $KUBECONFIG, unless there is a --server); that of npm start
                    stands for the secret, too, which lies beside it
  --only WHAT       rotate: signing, encryption or ca
  --now             rotate: the new key or CA signs at once, as when the old one is known to others
  --output json     for machines

Examples:
  BOOTSTRAP_SECRET=… npm run zeroplane -- keys rotate --server https://zeroplane.example.workers.dev
  BOOTSTRAP_SECRET=… npm run zeroplane -- keys retire --server https://zeroplane.example.workers.dev b8f1…
  npm run zeroplane -- keys list --kubeconfig .zeroplane/kubeconfig
`;

/** As the server tells it. */
export interface Keys {
  signing: { kid: string; state: string; from: string; until: string }[];
  authorities: { id: string; state: string; from: string; until: string }[];
  encryption: { of: string; key: string; root: string; since: string; rewriting: boolean }[];
}

export const keys: Command = {
  name: 'keys',
  summary: 'list, rotate and retire the keys and CAs of a cluster',
  help: HELP,
  async run(args) {
    const { values, positionals } = parseOptions({
      args,
      allowPositionals: true,
      options: {
        ...CONNECTION_OPTIONS,
        only: { type: 'string' },
        now: { type: 'boolean', default: false },
        output: { type: 'string', short: 'o' },
      },
    });
    const { method, path } = requestOf(positionals, values.only, values.now);
    const found = await requestKeys<Keys>(await keeperOf(values), method, path);
    process.stdout.write(values.output === 'json' ? `${JSON.stringify(found)}\n` : text(found));
    return 0;
  },
};

/** What is asked of the server. Throws a UserError for what makes no sense. */
function requestOf([verb, id]: string[], only: string | undefined, now: boolean): { method: string; path: string } {
  if (verb === 'list') return { method: 'GET', path: '' };
  if (verb === 'retire') {
    if (!id) throw new UserError('keys retire needs the id of a key or CA; keys list shows it.', 2);
    return { method: 'DELETE', path: `/${encodeURIComponent(id)}` };
  }
  if (verb !== 'rotate') throw new UserError('keys knows list, rotate and retire. See --help.', 2);
  if (only !== undefined && !['signing', 'encryption', 'ca'].includes(only)) {
    throw new UserError('--only is signing, encryption or ca.', 2);
  }
  const query = new URLSearchParams({ ...(only && { what: only }), ...(now && { signs: 'now' }) });
  return { method: 'POST', path: `?${query}` };
}

function text({ signing, authorities, encryption }: Keys): string {
  const signs = signing.map(({ kid, state, from, until }) => [kid, state, from, until || '-']);
  const trusted = authorities.map(({ id, state, from, until }) => [id, state, from, until]);
  const seals = encryption.map(({ of, key, root, since, rewriting }) => [
    of,
    key || '-',
    root || '-',
    since || '-',
    rewriting ? 'rewriting' : 'done',
  ]);
  const unsealed = 'Nothing is encrypted: there are no ENCRYPTION_KEYS.\n';
  return [
    table([['SIGNING KEY', 'STATE', 'FROM', 'UNTIL'], ...signs]),
    '\n',
    table([['CA', 'STATE', 'FROM', 'UNTIL'], ...trusted]),
    '\n',
    seals.length === 0 ? unsealed : table([['ENCRYPTED', 'DATA KEY', 'ROOT KEY', 'SINCE', 'STATE'], ...seals]),
  ].join('');
}
