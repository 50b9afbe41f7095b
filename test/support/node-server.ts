/** A Node.js program of the test's own in a pod of a real node, served over TLS behind a Service of its name. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../../cli/command.ts';
import { selfSigned } from './certificates.ts';
import { BUSYBOX_IMAGE } from './images.ts';

/** The test's own Node.js, its packages and the libraries that it needs, as the node has them: the image has nothing but busybox. */
const HOST = {
  node: [dirname(realpathSync(process.execPath)), '/node'],
  packages: [realpathSync(join(ROOT, 'node_modules')), '/node_modules'],
  lib: ['/usr/lib', '/lib'],
  lib64: ['/usr/lib64', '/lib64'],
} as const;

export interface NodeServer {
  name: string;
  namespace: string;
  /** A file in `test/support`. It listens on 8443; its first argument is the folder with `tls.crt` and `tls.key`. */
  program: string;
  args?: readonly string[];
  /** Further volumes, mounted at `/<name>`. */
  volumes?: readonly ({ name: string } & Record<string, unknown>)[];
  serviceAccountName?: string;
}

/** What to apply for it, and what to believe it by: base64 of its certificate, which is its own authority. */
export async function nodeServer(server: NodeServer): Promise<{ objects: object[]; caBundle: string }> {
  const { name, namespace, program } = server;
  const { cert, key } = await selfSigned(`${name}.${namespace}.svc`);
  const text = readFileSync(join(ROOT, 'test/support', program), 'utf8');
  const metadata = { name, namespace };
  const objects = [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'server.mjs': text } },
    { apiVersion: 'v1', kind: 'Secret', metadata, stringData: { 'tls.crt': cert, 'tls.key': key } },
    deployment(server),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: { app: name }, ports: [{ name: 'https', port: 443, targetPort: 8443 }] },
    },
  ];
  return { objects, caBundle: Buffer.from(cert).toString('base64') };
}

function deployment({ name, namespace, args = [], volumes = [], serviceAccountName }: NodeServer): object {
  const labels = { app: name };
  const mounted = ['program', 'tls', ...volumes.map((volume) => volume.name)];
  const container = {
    name: 'server',
    image: BUSYBOX_IMAGE,
    command: ['/node/node', '/program/server.mjs', '/tls', ...args],
    readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
    volumeMounts: [
      ...Object.entries(HOST).map(([volume, [, mountPath]]) => ({ name: volume, mountPath, readOnly: true })),
      ...mounted.map((volume) => ({ name: volume, mountPath: `/${volume}` })),
    ],
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
          terminationGracePeriodSeconds: 1,
          containers: [container],
          volumes: [
            ...Object.entries(HOST).map(([volume, [path]]) => ({ name: volume, hostPath: { path } })),
            { name: 'program', configMap: { name } },
            { name: 'tls', secret: { secretName: name } },
            ...volumes,
          ],
        },
      },
    },
  };
}
