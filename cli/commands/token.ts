/** `zeroplane token`: bootstrap tokens, with which machines join. */
import { type Command, parseOptions, UserError } from '../command.ts';
import { type Credential, type DeploymentOptions, deploymentOf, requestCredential } from '../up/credentials.ts';

const HELP = `Usage: zeroplane token create --server URL [OPTIONS]

Makes a token with which a machine joins as a node, and prints the command that does.

Options:
  --server URL      the API server
  --secret TEXT     the deployment's BOOTSTRAP_SECRET (or the environment's)
  --ca FILE         the CA of the server's certificate, where it is not a public one
  --ttl SECONDS     how long the token is valid (default 86400)
  --output json     for machines

Example:
  BOOTSTRAP_SECRET=… npm run zeroplane -- token create --server https://zeroplane.example.workers.dev
`;

export const token: Command = {
  name: 'token',
  summary: 'make a token with which a machine joins',
  help: HELP,
  async run(args) {
    const { values, positionals } = parseOptions({
      args,
      allowPositionals: true,
      options: {
        server: { type: 'string' },
        secret: { type: 'string' },
        ca: { type: 'string' },
        ttl: { type: 'string', default: '86400' },
        output: { type: 'string', short: 'o' },
      },
    });
    if (positionals[0] !== 'create') throw new UserError('token knows one thing to do: create. See --help.', 2);
    const credential = await credentialFor(values, { bootstrap: true, ttlSeconds: Number(values.ttl) });
    const ca = values.ca === undefined ? '' : ` --ca ${values.ca}`;
    const join = `node agent/main.ts --server ${values.server} --bootstrap-token ${credential.token}${ca}`;
    process.stdout.write(values.output === 'json' ? `${JSON.stringify({ ...credential, join })}\n` : `${join}\n`);
    return 0;
  },
};

/** Asks the server for a credential, with the secret from the options or the environment. Throws a UserError without one. */
export async function credentialFor(
  options: DeploymentOptions,
  request: Parameters<typeof requestCredential>[2],
): Promise<Credential> {
  const { server, secret, ca } = await deploymentOf(options);
  return requestCredential(server, secret, request, ca);
}
