/** Two nodes, each in a network of its own: pods and Services across them, and the API from within. */
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { Lab, type Machine } from './lab.ts';
import { eventually, hasKubectl, isRoot, kubectl, must } from './support.ts';

const SERVER = 'mkdir -p /www; hostname > /www/index.html; echo serving on $(hostname); exec httpd -f -p 80 -h /www';

/** The test's own Node, lent to a pod by its host, so that the pod has a client that checks certificates. */
const CLIENT = (node: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: client, labels: {app: client}}
spec:
  nodeName: ${node}
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:1.35
    command: [sleep, infinity]
    volumeMounts:
    - {name: node, mountPath: /node, readOnly: true}
    - {name: lib, mountPath: /lib, readOnly: true}
    - {name: lib64, mountPath: /lib64, readOnly: true}
  volumes:
  - {name: node, hostPath: {path: ${dirname(process.execPath)}}}
  - {name: lib, hostPath: {path: /lib}}
  - {name: lib64, hostPath: {path: /lib64}}
`;

/** Which container runs, and how often it was started again. */
const CONTAINER =
  'jsonpath={.items[0].status.containerStatuses[0].containerID} {.items[0].status.containerStatuses[0].restartCount}';

const SERVERS = ['east', 'west']
  .map(
    (name) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 1
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-${name}}
      terminationGracePeriodSeconds: 0
      containers:
      - name: main
        image: busybox:1.35
        command: [sh, -c, "${SERVER}"]
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  type: NodePort
  selector: {app: ${name}}
  ports: [{port: 80}]
`,
  )
  .join('---');

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('two nodes', () => {
  let lab: Lab;
  let plane: ControlPlane;
  let east: Machine;
  let west: Machine;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const wget = (from: string, host: string): Promise<string> =>
    run('exec', `deployment/${from}`, '--', 'timeout', '10', 'wget', '-qO-', `http://${host}/`);
  /** The same where nodes may have to hear of something first. */
  const wgets = (from: string, host: string) => expect.poll(() => wget(from, host).catch(String));

  /** ClusterIP and node port of a Service. */
  const addressOf = async (service: string): Promise<[ip: string, port: string]> => {
    const path = 'jsonpath={.spec.clusterIP} {.spec.ports[0].nodePort}';
    return (await run('get', 'service', service, '-o', path)).split(' ') as [string, string];
  };

  beforeAll(async () => {
    lab = new Lab();
    plane = await startControlPlane({ nodes: 'none', address: lab.address });
    east = await lab.join(plane, 'node-east', { keepPods: true });
    west = await lab.join(plane, 'node-west');
    await eventually('both nodes', async () => (await run('get', 'nodes', '-o', 'name')).split('\n').length === 3);
    await run('wait', '--for=condition=Ready', 'node', '--all', '--timeout=90s');
    lab.importImages();
    await must(plane, ['apply', '-f', '-'], SERVERS);
    await run('rollout', 'status', 'deployment/east', '--timeout=90s');
    await run('rollout', 'status', 'deployment/west', '--timeout=90s');
  });
  afterAll(async () => {
    await lab?.close();
    await plane?.stop();
  });

  it('each has addresses of its own for its pods', async () => {
    const cidrs = await run('get', 'nodes', '-o', 'jsonpath={.items[*].spec.podCIDR}');
    expect(new Set(cidrs.split(' ')).size).toBe(2);
    const addresses = await run(
      'get',
      'nodes',
      '-o',
      'jsonpath={.items[*].status.addresses[?(@.type=="InternalIP")].address}',
    );
    expect(addresses).toBe(`${east.ip} ${west.ip}`);
  });

  it('a pod reaches a pod on the other node by its address', async () => {
    const ip = await run('get', 'pods', '-l', 'app=west', '-o', 'jsonpath={.items[0].status.podIP}');
    await wgets('east', ip).toMatch(/^west-/);
  });

  it('a pod reaches a Service on the other node by address and by name', async () => {
    const [ip] = await addressOf('west');
    await wgets('east', ip).toMatch(/^west-/);
    await wgets('east', 'west').toMatch(/^west-/);
    await wgets('west', 'east.default.svc.cluster.local').toMatch(/^east-/);
  });

  it('every node serves every ClusterIP and NodePort', async () => {
    const [ip, port] = await addressOf('west');
    for (const machine of [east, west]) {
      await expect.poll(() => lab.fetchFrom(machine, `http://${ip}/`)).toMatch(/^west-/);
      await expect.poll(() => lab.fetchFrom(machine, `http://${machine.ip}:${port}/`)).toMatch(/^west-/);
    }
  });

  it('logs and exec reach a pod wherever it is', async () => {
    for (const name of ['east', 'west']) {
      expect(await run('exec', `deployment/${name}`, '--', 'hostname')).toMatch(new RegExp(`^${name}-`));
      await expect.poll(() => run('logs', `deployment/${name}`)).toMatch(new RegExp(`^serving on ${name}-\\S+\n$`));
    }
  });

  it('a pod reaches the API by name, with the token and the CA that it was given', async () => {
    await must(plane, ['apply', '-f', '-'], CLIENT('node-east'));
    await run('wait', '--for=condition=Ready', 'pod/client', '--timeout=90s');
    const ask = (path: string): Promise<string> => run('exec', 'client', '--', '/node/node', '-e', inPod(path));
    expect(await ask('/version')).toMatch(/^200 .*"gitVersion"/s);
    expect(await ask('/api/v1/namespaces/default/pods')).toMatch(
      /^403 .*User \\"system:serviceaccount:default:default\\" cannot list resource \\"pods\\"/s,
    );
    await run('create', 'rolebinding', 'looks', '--clusterrole=view', '--serviceaccount=default:default');
    await expect.poll(() => ask('/api/v1/namespaces/default/pods')).toMatch(/^200 .*"kind":"PodList"/s);
  });

  it('an agent that stops without its pods leaves all that serves them; the next one takes them over', async () => {
    const [ip, port] = await addressOf('east');
    const container = await run('get', 'pods', '-l', 'app=east', '-o', CONTAINER);
    await lab.stopAgent(east);
    expect(await wget('west', ip)).toMatch(/^east-/);
    for (const machine of [east, west]) {
      expect(lab.fetchFrom(machine, `http://${ip}/`)).toMatch(/^east-/);
      expect(lab.fetchFrom(machine, `http://${machine.ip}:${port}/`)).toMatch(/^east-/);
    }
    lab.startAgent(plane, east);
    await expect
      .poll(() => kubectl(plane, ['exec', 'deployment/east', '--', 'hostname']))
      .toMatchObject({ code: 0, stdout: expect.stringMatching(/^east-/) });
    await wgets('east', (await addressOf('west'))[0]).toMatch(/^west-/);
    expect(await run('get', 'pods', '-l', 'app=east', '-o', CONTAINER)).toBe(container);
  });

  it('a Service without ready pods refuses at once', async () => {
    await run('scale', 'deployment', 'west', '--replicas=0');
    await run('wait', '--for=delete', 'pod', '-l', 'app=west', '--timeout=90s');
    const [ip, port] = await addressOf('west');
    await expect.poll(() => lab.fetchFrom(east, `http://${ip}/`)).toBe('ECONNREFUSED');
    await expect.poll(() => lab.fetchFrom(west, `http://${west.ip}:${port}/`)).toBe('ECONNREFUSED');
    await expect(wget('east', 'west')).rejects.toThrow(/Connection refused/);
  });
});

/** A script that asks the API as a client library in a pod would. */
function inPod(path: string): string {
  return `
    const account = '/var/run/secrets/kubernetes.io/serviceaccount';
    const read = (name) => require('fs').readFileSync(account + '/' + name, 'utf8');
    const headers = { authorization: 'Bearer ' + read('token') };
    require('https').get('https://kubernetes.default.svc${path}', { ca: read('ca.crt'), headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => console.log(response.statusCode, text));
    }).on('error', (error) => console.log(error.message));`;
}
