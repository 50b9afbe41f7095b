/** `zeroplane kubeconfig`: a kubeconfig for a user of a deployment. */
import { parseDuration } from '../../src/apimachinery/duration.ts';
import { type Command, parseOptions, UserError } from '../command.ts';
import { deploymentOf, kubeconfigText, requestCredential, writeKubeconfig } from '../up/credentials.ts';

const HELP = `Usage: zeroplane kubeconfig --server URL [OPTIONS]

Prints a kubeconfig with a token for a user.

Options:
  --server URL      the API server; a path /clusters/NAME chooses a cluster
  --secret TEXT     the deployment's BOOTSTRAP_SECRET (or the environment's)
  --ca FILE         the CA of the server's certificate, where it is not a public one
  --user NAME       who the token is for (default admin)
  --group NAME      a group of the user; may be repeated (default system:masters for admin, none for others)
  --ttl DURATION    how long the token is good, such as 12h, or in seconds (default 720h); it cannot be recalled
  --file FILE       write to a file instead

Examples:
  BOOTSTRAP_SECRET=… npm run zeroplane -- kubeconfig --server https://zeroplane.example.workers.dev --file ~/.kube/zeroplane
  BOOTSTRAP_SECRET=… npm run zeroplane -- kubeconfig --server https://zeroplane.example.workers.dev --user ann --group dev --ttl 8h
`;

const ADMIN = 'admin';

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
        user: { type: 'string', default: ADMIN },
        group: { type: 'string', multiple: true },
        ttl: { type: 'string', default: '720h' },
        file: { type: 'string' },
      },
    });
    const { user, group = user === ADMIN ? ['system:masters'] : [], ttl, file } = values;
    const ttlSeconds = /^\d+$/.test(ttl) ? Number(ttl) : Math.trunc((parseDuration(ttl) ?? 0) / 1000);
    if (!(ttlSeconds >= 60)) throw new UserError('--ttl is a time of a minute or more, such as 12h, or seconds.', 2);
    const { server, secret, ca } = await deploymentOf(values);
    const credential = await requestCredential(server, secret, { user, groups: group, ttlSeconds }, ca);
    if (file === undefined) process.stdout.write(kubeconfigText(server, credential, ca, user));
    else await writeKubeconfig(file, server, credential, ca, user);
    return 0;
  },
};
