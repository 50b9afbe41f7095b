/** What people do first, with the real kubectl, on simulated nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { hasKubectl, kubectl, must } from './support.ts';

const MANIFEST = `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: c, image: "busybox:1.35"}]}
`;

describe.skipIf(!hasKubectl && process.env['CI'] !== 'true')('kubectl', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'simulated=3' });
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('shows nodes, versions and resources', async () => {
    expect(await run('get', 'nodes')).toMatch(/sim-1 +Ready/);
    expect(await run('version')).toContain('Server Version: v1.36');
    expect(await run('cluster-info')).toContain('is running at');
    expect(await run('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await run('explain', 'pod.spec.containers')).toContain('FIELDS:');
  });

  it('rolls a deployment out, on, back and away', async () => {
    await run('create', 'deployment', 'web', '--image=busybox:1.35', '--replicas=3');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(await run('get', 'deployment', 'web')).toMatch(/web +3\/3 +3 +3/);
    await run('scale', 'deployment/web', '--replicas=5');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    await run('set', 'image', 'deployment/web', 'busybox=busybox:1.36');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    // Those of before may still be ending.
    await expect
      .poll(() => run('get', 'pods', '-l', 'app=web', '-o', 'jsonpath={.items[*].spec.containers[0].image}'))
      .not.toContain('1.35');
    await run('rollout', 'undo', 'deployment/web');
    await run('rollout', 'status', 'deployment/web', '--timeout=90s');
    expect(await run('get', 'deployment', 'web', '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe(
      'busybox:1.35',
    );
    await run('expose', 'deployment', 'web', '--port=80');
    expect(await run('get', 'all', '-o', 'wide')).toContain('service/web');
    await expect.poll(() => run('describe', 'deployment', 'web')).toContain('ScalingReplicaSet');
    await run('delete', 'deployment,service', 'web');
    await run('wait', '--for=delete', 'pod', '-l', 'app=web', '--timeout=90s');
    expect(await run('get', 'pods', '-l', 'app=web', '-o', 'name')).toBe('');
  });

  it('applies a manifest again after an edit', async () => {
    expect(await must(plane, ['apply', '-f', '-'], MANIFEST)).toContain('deployment.apps/shop created');
    const edited = MANIFEST.replace('blue', 'green').replace('replicas: 2', 'replicas: 3');
    expect((await kubectl(plane, ['diff', '-f', '-'], edited)).code).toBe(1);
    expect(await must(plane, ['apply', '-f', '-'], edited)).toContain('configmap/settings configured');
    // While its status changes there is a difference, too.
    await expect.poll(async () => (await kubectl(plane, ['diff', '-f', '-'], edited)).code).toBe(0);
    expect(await run('get', 'configmap', 'settings', '-o', 'jsonpath={.data.colour}')).toBe('green');
    await must(plane, ['delete', '-f', '-'], edited);
  });

  it('labels, annotates and patches in three ways', async () => {
    await run('create', 'configmap', 'c', '--from-literal=a=1');
    await run('label', 'configmap', 'c', 'tier=front');
    await run('annotate', 'configmap', 'c', 'note=hello');
    await run('patch', 'configmap', 'c', '--type=merge', '-p', '{"data":{"b":"2"}}');
    await run('patch', 'configmap', 'c', '--type=json', '-p', '[{"op":"add","path":"/data/c","value":"3"}]');
    await run('patch', 'configmap', 'c', '-p', '{"data":{"a":null}}');
    expect(JSON.parse(await run('get', 'configmap', 'c', '-o', 'json'))).toMatchObject({
      metadata: { labels: { tier: 'front' }, annotations: { note: 'hello' } },
      data: { b: '2', c: '3' },
    });
    expect(await run('get', 'configmap', '-l', 'tier=front', '-o', 'name')).toBe('configmap/c\n');
  });

  it('deletes a namespace with everything in it', async () => {
    await run('create', 'namespace', 'gone');
    await run('-n', 'gone', 'create', 'deployment', 'd', '--image=busybox:1.35', '--replicas=2');
    await run('-n', 'gone', 'rollout', 'status', 'deployment/d', '--timeout=90s');
    await run('delete', 'namespace', 'gone', '--timeout=90s');
    expect((await kubectl(plane, ['get', 'namespace', 'gone'])).stderr).toContain('NotFound');
    expect(
      await run(
        'get',
        'pods,replicasets,deployments',
        '-A',
        '-o',
        'jsonpath={.items[?(@.metadata.namespace=="gone")].metadata.name}',
      ),
    ).toBe('');
  });

  it('refuses a token that is not the cluster’s', async () => {
    const { code, stderr } = await kubectl(plane, [
      'get',
      'pods',
      '--token',
      'not.a.token',
      '--kubeconfig',
      '/dev/null',
      '-s',
      plane.server,
      '--insecure-skip-tls-verify',
    ]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Unauthorized|provide credentials|logged in/)]);
  });
});
