/** `zeroplane login`: who a person is, by OpenID Connect or Cloudflare Access; an exec plugin of kubectl. */
import { join } from 'node:path';
import { type Command, parseOptions, ROOT, readText, UserError } from '../command.ts';
import { loginByAccess } from '../login/access.ts';
import { loginByBrowser } from '../login/authorization-code.ts';
import { CACHE, LoginCache } from '../login/cache.ts';
import { current, execCredential, execVersion } from '../login/credential.ts';
import { loginByDevice } from '../login/device.ts';
import { discover, type Issuer, type Login } from '../login/issuer.ts';
import { say } from '../progress.ts';
import { writeKubeconfig } from '../up/credentials.ts';

const HELP = `Usage: zeroplane login --issuer-url URL --client-id ID [OPTIONS]
       zeroplane login --access URL [OPTIONS]

Logs a person in and prints a credential for kubectl, whose exec plugin this is (client.authentication.k8s.io/v1). What was got is kept,
readable by its owner alone, and refreshed when it ends. The cluster must trust the issuer.

Options:
  --issuer-url URL      an OpenID Connect issuer
  --client-id ID        the client that the issuer knows this command by
  --client-secret TEXT  of a client that has one (or OIDC_CLIENT_SECRET in the environment)
  --scope SCOPE         asked for; may be repeated (default openid, profile, email, offline_access)
  --device              log in with the browser of another machine
  --no-browser          open no browser, only say where to log in
  --port N              where the browser comes back to (default any: http://127.0.0.1/callback must be allowed with any port)
  --access URL          instead of an issuer: the application of Cloudflare Access before the cluster; needs cloudflared
  --cache-dir DIR       default ${CACHE}
  --logout              forget what was kept

  --kubeconfig FILE     write a kubeconfig that logs in so; with
  --server URL          the API server, and
  --ca FILE             the CA of its certificate, where it is not a public one

Example:
  npm run zeroplane -- login --issuer-url https://login.example.com --client-id kubernetes \\
    --server https://zeroplane.example.workers.dev --kubeconfig ~/.kube/zeroplane
`;

type Values = ReturnType<typeof optionsOf>;

const optionsOf = (args: string[]) =>
  parseOptions({
    args,
    options: {
      'issuer-url': { type: 'string' },
      'client-id': { type: 'string' },
      'client-secret': { type: 'string', default: process.env['OIDC_CLIENT_SECRET'] },
      scope: { type: 'string', multiple: true, default: ['openid', 'profile', 'email', 'offline_access'] },
      device: { type: 'boolean', default: false },
      'no-browser': { type: 'boolean', default: false },
      port: { type: 'string', default: '0' },
      access: { type: 'string' },
      'cache-dir': { type: 'string', default: CACHE },
      logout: { type: 'boolean', default: false },
      kubeconfig: { type: 'string' },
      server: { type: 'string' },
      ca: { type: 'string' },
    },
  }).values;

export const login: Command = {
  name: 'login',
  summary: 'log a person in: an exec plugin of kubectl',
  help: HELP,
  async run(args) {
    const values = optionsOf(args);
    const method = methodOf(values);
    const cache = new LoginCache(values['cache-dir'], method.key);
    if (values.logout) {
      await cache.forget();
      return 0;
    }
    if (values.kubeconfig !== undefined) {
      await writeConfig(values.kubeconfig, values, args);
      await current(cache, method.issuer, method.login);
      return 0;
    }
    const apiVersion = execVersion(process.env['KUBERNETES_EXEC_INFO']);
    process.stdout.write(execCredential(apiVersion, await current(cache, method.issuer, method.login)));
    return 0;
  },
};

interface Method {
  key: unknown;
  issuer: (() => Promise<Issuer>) | undefined;
  login(): Promise<Login>;
}

/** How to log in, by the options. Throws a UserError where they say nothing that can be done. */
function methodOf(values: Values): Method {
  const { access, device, scope } = values;
  const [issuerUrl, clientId, clientSecret] = [values['issuer-url'], values['client-id'], values['client-secret']];
  if (access !== undefined) return { key: ['access', access], issuer: undefined, login: () => loginByAccess(access) };
  if (issuerUrl === undefined || clientId === undefined) {
    throw new UserError('--issuer-url and --client-id, or --access, are missing. See --help.', 2);
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new UserError('--port must be from 0 to 65535.', 2);
  const issuer = (): Promise<Issuer> => discover({ issuer: issuerUrl, clientId, clientSecret, scopes: scope });
  const browser = { port, open: !values['no-browser'] };
  return {
    key: ['oidc', issuerUrl, clientId, scope],
    issuer,
    login: async () => (device ? loginByDevice(await issuer()) : loginByBrowser(await issuer(), browser)),
  };
}

/** What concerns the file alone is no part of how it logs in. */
const OF_THE_FILE = /^--(kubeconfig|server|ca|client-secret)(=|$)/;

async function writeConfig(
  file: string,
  { server, ca, 'client-secret': secret }: Values,
  args: string[],
): Promise<void> {
  if (server === undefined) throw new UserError('--kubeconfig needs --server. See --help.', 2);
  const own = args.filter(
    (arg, index) => !OF_THE_FILE.test(arg) && !/^--(kubeconfig|server|ca|client-secret)$/.test(args[index - 1] ?? ''),
  );
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [join(ROOT, 'cli/main.ts'), 'login', ...own],
    env: secret === undefined ? [] : [{ name: 'OIDC_CLIENT_SECRET', value: secret }],
    // It asks in the browser, not on standard input.
    interactiveMode: 'Never',
    provideClusterInfo: false,
  };
  await writeKubeconfig(file, server.replace(/\/$/, ''), { exec }, ca === undefined ? undefined : await readText(ca));
  say(`Written to ${file}: kubectl logs in by itself from now on.`);
}
