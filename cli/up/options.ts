/** Options of `npm start`; tests, scripts and `--help` share them. */
import { join } from 'node:path';
import { parseOptions, pathOf, UserError } from '../command.ts';

export interface UpOptions {
  address: string;
  port: number;
  /** Absolute. */
  data: string;
  kubeconfig: string;
  nodes: { kind: 'real' | 'none' } | { kind: 'simulated'; count: number | undefined };
  controllers: 'on' | 'off';
  /** Names of resources, separated by commas: `secrets,widgets.example.com`. */
  encryptedResources: string;
  /** A file; absolute. */
  authenticationConfig: string | undefined;
  /** Absolute; undefined: only the use of `system:masters` and of the deployment's secret is noted down. */
  auditPolicy: string | undefined;
  /** Absolute, or `-`; undefined: nothing is. */
  auditLog: string | undefined;
  yes: boolean;
}

export const UP_HELP = `Usage: npm start -- [OPTIONS]

Runs a whole cluster on this machine: the control plane in workerd, and this machine as its node.

Options:
  --port N             where the API is served (default 6443)
  --address ADDRESS    the address to listen on (default 127.0.0.1; 0.0.0.0 lets other machines join)
  --data DIR           where everything is kept (default ./.zeroplane)
  --kubeconfig FILE    where the kubeconfig is written (default DIR/kubeconfig)
  --nodes KIND         real, simulated, simulated=N or none (default real, or simulated where containers cannot run)
  --controllers on|off off: the API alone, for replays and load tests (default on)
  --authentication-config FILE
                       an AuthenticationConfiguration: whose tokens are believed (OIDC), who may ask without any
  --encrypted-resources LIST
                       what is encrypted at rest, as secrets,widgets.example.com (default secrets)
  --audit-policy-file FILE
                       which requests are noted down (audit.k8s.io/v1, see docs/audit.md)
  --audit-log-path FILE
                       where they are, as JSON lines; - is the standard output
  --yes                install what is missing without asking

Examples:
  npm start
  npm start -- --port 7443 --data /var/lib/zeroplane --yes
  npm start -- --nodes simulated=3
`;

/** Reads the command line. Throws a UserError for values that make no sense. */
export function upOptions(args: string[]): UpOptions {
  const { values } = parseOptions({
    args,
    options: {
      port: { type: 'string', default: '6443' },
      address: { type: 'string', default: '127.0.0.1' },
      data: { type: 'string', default: '.zeroplane' },
      kubeconfig: { type: 'string' },
      nodes: { type: 'string', default: 'real' },
      controllers: { type: 'string', default: 'on' },
      'authentication-config': { type: 'string' },
      'encrypted-resources': { type: 'string', default: 'secrets' },
      'audit-policy-file': { type: 'string' },
      'audit-log-path': { type: 'string' },
      yes: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new UserError('--port must be from 1 to 65535.', 2);
  if (values.controllers !== 'on' && values.controllers !== 'off')
    throw new UserError('--controllers is on or off.', 2);
  const encryptedResources = values['encrypted-resources'];
  if (!/^([a-z0-9.-]+(,(?!$)|$))*$/.test(encryptedResources)) {
    throw new UserError('--encrypted-resources is a list such as secrets,widgets.example.com.', 2);
  }
  const data = pathOf(values.data);
  const { kubeconfig, 'authentication-config': authentication } = values;
  const { 'audit-policy-file': auditPolicy, 'audit-log-path': auditLog } = values;
  if (auditPolicy !== undefined && auditLog === undefined) {
    throw new UserError('--audit-policy-file needs --audit-log-path, which says where to.', 2);
  }
  return {
    address: values.address,
    port,
    data,
    kubeconfig: kubeconfig === undefined ? join(data, 'kubeconfig') : pathOf(kubeconfig),
    nodes: nodesOption(values.nodes),
    controllers: values.controllers,
    encryptedResources,
    authenticationConfig: authentication === undefined ? undefined : pathOf(authentication),
    auditPolicy: auditPolicy === undefined ? undefined : pathOf(auditPolicy),
    auditLog: auditLog === undefined || auditLog === '-' ? auditLog : pathOf(auditLog),
    yes: values.yes,
  };
}

function nodesOption(text: string): UpOptions['nodes'] {
  if (text === 'real' || text === 'none') return { kind: text };
  const match = /^simulated(?:=(\d{1,5}))?$/.exec(text);
  if (match === null) throw new UserError('--nodes is real, simulated, simulated=N or none.', 2);
  return { kind: 'simulated', count: match[1] === undefined ? undefined : Number(match[1]) };
}
