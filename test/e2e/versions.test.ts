/** Every kubectl of this machine: the one on the PATH, and those that lie beside it under names such as `kubectl.1.30`. */
import { execFileSync } from 'node:child_process';
import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { hasKubectl, KUBECTL, must } from './support.ts';

const MANIFEST = (replicas: number): string => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: main, image: "example.com/web:1", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
`;

describe.skipIf(!hasKubectl && process.env['CI'] !== 'true')('every kubectl', () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'simulated=2' });
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it.each(hasKubectl ? clients() : ['kubectl'])('%s', async (client) => {
    const namespace = `by-${client.replaceAll(/[^a-z0-9]/g, '-').slice(-30)}`;
    const run = (args: string, input?: string): Promise<string> => must(plane, args.split(' '), input, client);
    await run(`create namespace ${namespace}`);
    const here = (args: string, input?: string): Promise<string> => run(`-n ${namespace} ${args}`, input);
    expect(await run('version')).toMatch(/Server Version: .*v1\.36/);
    expect(await run('cluster-info')).toContain('Kubernetes control plane');
    expect(await run('api-resources')).toMatch(/deployments +deploy +apps\/v1 +true +Deployment/);
    expect(await run('explain deployment.spec.replicas')).toMatch(/replicas.*integer/i);
    expect(await run('explain cronjob --recursive')).toMatch(/initialDelaySeconds\s+<integer>/);
    expect(await run('get nodes -o wide')).toMatch(/ Ready .*v1\.36/);
    expect(await here('apply -f -', MANIFEST(2))).toBe('deployment.apps/web created\nservice/web created\n');
    await here('rollout status deployment/web --timeout=90s');
    await expect(here('diff -f -', MANIFEST(3))).rejects.toThrow(/ended with 1[\s\S]*\+ {2}replicas: 3/);
    expect(await here('apply -f -', MANIFEST(3))).toBe('deployment.apps/web configured\nservice/web unchanged\n');
    await here('rollout status deployment/web --timeout=90s');
    await here('set image deployment/web main=example.com/web:2');
    await here('rollout status deployment/web --timeout=90s');
    await here('rollout undo deployment/web');
    await here('scale deployment web --replicas=1');
    await here('label deployment web tier=front');
    await here('annotate deployment web note=one');
    await here('patch deployment web -p {"spec":{"minReadySeconds":0}}');
    await here('rollout status deployment/web --timeout=90s');
    await here('wait --for=jsonpath={.status.readyReplicas}=1 deployment/web --timeout=90s');
    expect(await here('get all -o wide')).toMatch(/deployment.apps\/web +1\/1/);
    await expect.poll(() => here('describe deployment web')).toMatch(/ScalingReplicaSet/);
    await expect.poll(() => here('get events')).toMatch(/Scheduled/);
    await run(`delete namespace ${namespace}`);
    expect(await here('get all')).toBe('');
  });
});

/** Paths of the clients, the oldest first. */
function clients(): string[] {
  const main = execFileSync('which', [KUBECTL], { encoding: 'utf8' }).trim();
  const folder = dirname(realpathSync(main));
  const others = readdirSync(folder).filter((name) => /^kubectl\.1\.(?:2[7-9]|3\d)$/.test(name));
  return [...others.sort().map((name) => join(folder, name)), main];
}
