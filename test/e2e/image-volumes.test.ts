/** Volumes of images on a real node, out of a registry that asks who pulls. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { type BuiltImage, buildImage } from '../support/images.ts';
import { type Registry, startRegistry } from '../support/registry.ts';
import { agentPid, importImages } from './lab.ts';
import { hasKubectl, isRoot, kubectl, must } from './support.ts';

const text = (path: string, data: string): { path: string; data: Buffer } => ({ path, data: Buffer.from(data) });
/** The second layer hides a file of the first. */
const DATA: BuiltImage = buildImage(
  'registry.test/data:1',
  [[text('which', 'first'), text('etc/deep/file', 'deep')], [text('which', 'second')]],
  {},
);

/** Pods with a volume `data` of an image that `main` mounts as it is told to. `other` has nothing to do with it. */
const pod = (name: string, image: string, mounts: string, beside = ''): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  terminationGracePeriodSeconds: 0
  imagePullSecrets: [{name: registry}]
  volumes: [{name: data, image: ${image}}]
  containers:
  - name: main
    image: busybox:1.35
    command: [sleep, infinity]
    env: [{name: WHERE, value: deep}]
    volumeMounts: [${mounts}]
  ${beside}
`;
const OTHER = '- {name: other, image: "busybox:1.35", command: [sleep, infinity]}';
const ALL = '{name: data, mountPath: /all}';

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('volumes of images', () => {
  let plane: ControlPlane;
  let registry: Registry;
  let image: (name: string, policy?: string) => string;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (...manifests: string[]): Promise<string> => must(plane, ['apply', '-f', '-'], manifests.join('---'));
  const socket = (): string => join(plane.data, 'node/containerd/containerd.sock');
  const ctr = (...args: string[]): string =>
    execFileSync('ctr', ['-a', socket(), '-n', 'k8s.io', ...args], { encoding: 'utf8' });
  const waiting = (name: string): Promise<string> =>
    run('get', 'pod', name, '-o', 'jsonpath={.status.containerStatuses[?(@.name=="main")].state.waiting}');
  const messages = (name: string): Promise<string> =>
    run('get', 'events', `--field-selector=involvedObject.name=${name}`, '-o', 'jsonpath={.items[*].message}');

  beforeAll(async () => {
    registry = await startRegistry('127.0.0.1', [DATA], 'puller:secret');
    image = (name, policy = 'IfNotPresent') => `{reference: "${registry.address}/${name}", pullPolicy: ${policy}}`;
    plane = await startControlPlane({ nodes: 'real' });
    importImages(socket());
    const login = [`--docker-server=${registry.address}`, '--docker-username=puller', '--docker-password=secret'];
    await run('create', 'secret', 'docker-registry', 'registry', ...login);
  });
  afterAll(async () => {
    await plane?.stop();
    registry?.stop();
  });

  it('are pulled with the pod’s secrets and mounted read-only, whole or in part', async () => {
    const parts = [
      ALL,
      '{name: data, mountPath: /sub, subPath: etc/deep}',
      '{name: data, mountPath: /expr, subPathExpr: etc/$(WHERE)}',
    ];
    await apply(pod('reader', image('data:1', 'Always'), parts.join(', ')));
    await run('wait', '--for=condition=Ready', 'pod/reader', '--timeout=60s');
    const files = ['/all/which', '/all/etc/deep/file', '/sub/file', '/expr/file'];
    expect(await run('exec', 'reader', '--', 'sh', '-c', `for f in ${files.join(' ')}; do cat $f; echo; done`)).toBe(
      'second\ndeep\ndeep\ndeep\n',
    );
    for (const path of ['/all/new', '/all/which', '/sub/new']) {
      const written = await kubectl(plane, ['exec', 'reader', '--', 'sh', '-c', `echo x > ${path}`]);
      expect(written).toMatchObject({ code: 1, stderr: expect.stringContaining('Read-only file system') });
    }
    expect(await messages('reader')).toContain(`Successfully pulled image "${registry.address}/data:1"`);
  });

  it('keep those containers waiting that mount what cannot be had', async () => {
    await apply(
      pod('late', image('late:1'), ALL, OTHER),
      pod('never', image('never:1', 'Never'), ALL),
      pod('nowhere', image('data:1'), '{name: data, mountPath: /x, subPath: not/there}'),
    );
    const soon = { timeout: 30_000 };
    await expect.poll(() => waiting('late'), soon).toMatch(/ErrImagePull|ImagePullBackOff/);
    const other = 'jsonpath={.status.containerStatuses[?(@.name=="other")].state}';
    await expect.poll(() => run('get', 'pod', 'late', '-o', other), soon).toContain('running');
    await expect.poll(() => waiting('late'), soon).toContain('Back-off pulling image');
    await expect.poll(() => waiting('never'), soon).toContain('ErrImageNeverPull');
    await expect.poll(() => waiting('nowhere'), soon).toContain('CreateContainerError');
    expect(await waiting('nowhere')).toMatch(/ImageVolumeMountFailed: .*there is no not\/there inside the volume/);
    expect(await messages('late')).toContain(`Failed to pull image "${registry.address}/late:1": rpc error`);
    registry.images.push({ ...DATA, name: 'registry.test/late:1' });
    await run('wait', '--for=condition=Ready', 'pod/late', '--timeout=60s');
    expect(await run('exec', 'late', '-c', 'main', '--', 'cat', '/all/which')).toBe('second');
  });

  it('outlive their image, and go with their pods', async () => {
    const remains = (): string =>
      [ctr('leases', 'ls'), ctr('snapshots', 'ls'), execFileSync('mount', { encoding: 'utf8' })]
        .join('\n')
        .split('\n')
        .filter((line) => line.includes('kubernetes.io~image') && (line.includes(plane.data) || !line.includes(' on ')))
        .join('\n');
    const ofIts = ctr('images', 'ls')
      .split('\n')
      .filter((line) => line.includes(DATA.manifestDigest));
    ctr('images', 'rm', '--sync', ...ofIts.map((line) => line.split(' ')[0] ?? ''));
    expect(await run('exec', 'late', '-c', 'main', '--', 'cat', '/all/etc/deep/file')).toBe('deep');
    expect(remains()).not.toBe('');
    process.kill(agentPid(plane), 'SIGKILL');
    await run('delete', 'pods', '--all', '--timeout=60s');
    await expect.poll(remains, { timeout: 60_000 }).toBe('');
  });
});
