/** `zeroplane kubeconfig`: a kubeconfig for a user of a deployment. */
import { readFile } from 'node:fs/promises';
import { type Command, parseOptions } from '../command.ts';
import { kubeconfigText, writeKubeconfig } from '../up/credentials.ts';
import { credentialFor } from './token.ts';

const HELP = `Usage: zeroplane kubeconfig --server URL [OPTIONS]

Prints a kubeconfig with a token for a user.

Options:
  --server URL      the API server; a path /clusters/NAME chooses a cluster
  --secret TEXT     the deployment's BOOTSTRAP_SECRET (or the environment's)
  --ca FILE         the CA of the server's certificate, where it is not a public one
  --user NAME       who the token is for (default admin)
  --group NAME      a group of the user; may be repeated (default system:masters)
  --ttl SECONDS     how long the token is valid (default 30 days)
  --file FILE       write to a file instead

Example:
  BOOTSTRAP_SECRET=… npm run zeroplane -- kubeconfig --server https://zeroplane.example.workers.dev --file ~/.kube/zeroplane
`;

export const kubeconfig: Command = {
  name: 'kubeconfig',
  summary: 'make a kubeconfig for a user',
  help: HELP,
  async run(args) {
    const { values } = parseOptions({
      args,
      options: {
        server: { type: 'string' },
        secret: { type: 'string' },
        ca: { type: 'string' },
        user: { type: 'string', default: 'admin' },
        group: { type: 'string', multiple: true, default: ['system:masters'] },
        ttl: { type: 'string', default: String(30 * 24 * 3600) },
        file: { type: 'string' },
      },
    });
    const request = { user: values.user, groups: values.group, ttlSeconds: Number(values.ttl) };
    const { token } = await credentialFor(values, request);
    const ca = values.ca === undefined ? undefined : await readFile(values.ca, 'utf8');
    const server = (values.server as string).replace(/\/$/, '');
    if (values.file === undefined) process.stdout.write(kubeconfigText(server, token, ca));
    else await writeKubeconfig(values.file, server, token, ca);
    return 0;
  },
};
