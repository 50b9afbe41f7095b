/** What a pod's spec promises, kept by a real node: ports by their names, who may read a token, when containers start again. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client } from '../support/https.ts';
import { importImages, processOf } from './lab.ts';
import { hasKubectl, isRoot, KUBECTL, kubectl, must, type Result } from './support.ts';

const SERVER =
  "mkdir -p /www; echo from $(hostname) > /www/index.html; echo '<a href=/x>x</a>' > /www/page.html; echo serving; exec httpd -f -p 8080 -h /www";

/** Serves 8080, which everything else calls `web`; nothing listens on its other port. */
const NAMED = `
apiVersion: v1
kind: Pod
metadata: {name: named, labels: {app: named}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:1.35
    command: [sh, -c, "${SERVER}"]
    ports: [{name: closed, containerPort: 81}, {name: web, containerPort: 8080}]
    startupProbe: {tcpSocket: {port: web}, periodSeconds: 1, failureThreshold: 60}
    readinessProbe: {httpGet: {port: web, path: /index.html}, periodSeconds: 1}
    livenessProbe: {httpGet: {port: web}, periodSeconds: 1, timeoutSeconds: 10, failureThreshold: 10}
---
apiVersion: v1
kind: Pod
metadata: {name: wrong}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:1.35
    command: [sh, -c, "${SERVER}"]
    ports: [{name: closed, containerPort: 81}]
    readinessProbe: {httpGet: {port: closed}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: named}
spec:
  selector: {app: named}
  ports: [{name: http, port: 80, targetPort: web}, {name: dead, port: 81, targetPort: closed}]
`;

/** Its CPU changes in place; its memory asks for a new start. */
const RESIZABLE = `
apiVersion: v1
kind: Pod
metadata: {name: resizable}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: main
    image: busybox:1.35
    command: [sleep, infinity]
    resources: {requests: {cpu: 20m, memory: 20Mi}, limits: {cpu: 30m, memory: 30Mi}}
    resizePolicy: [{resourceName: memory, restartPolicy: RestartContainer}]
`;

/** A pod that looks at its own token as the given users. */
const reader = (name: string, security: string, command: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: Never
  securityContext: ${security}
  containers:
  - {name: main, image: "busybox:1.35", command: [sh, -c, "${command}"]}
`;
const LOOK =
  'cd /var/run/secrets/kubernetes.io/serviceaccount; stat -Lc %a:%u:%g token; test -r token && echo readable';

const ending = (name: string, policy: string, script: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec:
  restartPolicy: ${policy}
  terminationGracePeriodSeconds: 0
  containers:
  - {name: main, image: "busybox:1.35", command: [sh, -c, "${script}"]}
`;

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('pods on a real node', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (...manifests: string[]): Promise<string> => must(plane, ['apply', '-f', '-'], manifests.join('---'));
  const status = (pod: string, path: string): Promise<string> =>
    run('get', 'pod', pod, '-o', `jsonpath={.status.${path}}`);

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await apply(NAMED);
    await run('wait', '--for=condition=Ready', 'pod/named', '--timeout=90s');
  });
  afterAll(async () => {
    await plane?.stop();
  });

  it('probes ports by their names', async () => {
    expect(await status('named', 'containerStatuses[0].restartCount')).toBe('0');
    await expect
      .poll(() => run('get', 'events', '--field-selector=involvedObject.name=wrong,reason=Unhealthy', '-o', MESSAGES))
      .toMatch(/Readiness probe failed: Get "http:\/\/[\d.]+:81\/": dial tcp [\d.]+:81: connect: connection refused/);
    expect(await status('wrong', 'containerStatuses[0].ready')).toBe('false');
  });

  it('a Service leads to ports by their names', async () => {
    await expect
      .poll(() => run('get', 'endpointslices', '-l', 'kubernetes.io/service-name=named', '-o', PORTS))
      .toBe('http:8080 dead:81 ');
    const wget = (port: number): Promise<Result> =>
      kubectl(plane, ['exec', 'named', '--', 'timeout', '10', 'wget', '-qO-', `http://named.default:${port}/`]);
    await expect.poll(() => wget(80)).toMatchObject({ code: 0, stdout: 'from named\n' });
    await expect.poll(async () => (await wget(81)).stderr).toContain('Connection refused');
  });

  it.each(['pod/named :web', 'service/named :http', 'service/named :80'])('port-forward %s', async (target) => {
    const child = spawn(KUBECTL, ['port-forward', ...target.split(' ')], {
      env: { ...process.env, KUBECONFIG: plane.kubeconfig },
    });
    try {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      await expect.poll(() => output).toMatch(/Forwarding from 127\.0\.0\.1:\d+ -> 8080/);
      const [, port] = /127\.0\.0\.1:(\d+)/.exec(output) ?? [];
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('from named\n');
    } finally {
      child.kill();
    }
  });

  it.each([
    ['exec?stdout=1&stderr=1&command=echo&command=said', 'channel.k8s.io', '\u0001said\n\u0003'],
    ['exec?stdout=1&command=false', 'channel.k8s.io', '\u0003command terminated with non-zero exit code'],
    ['log?tailLines=1', 'binary.k8s.io', 'serving\n'],
  ])('a WebSocket of the first kind: %s', async (path, protocol, expected) => {
    const url = `${plane.server.replace('https', 'wss')}/api/v1/namespaces/default/pods/named/${path}`;
    const headers = { authorization: `Bearer ${plane.token}` };
    const socket = new WebSocket(url, protocol, { headers, rejectUnauthorized: false });
    const said: Buffer[] = [];
    socket.on('message', (data: Buffer) => said.push(data));
    await new Promise((resolve, reject) => socket.on('close', resolve).on('error', reject));
    expect(Buffer.concat(said).toString()).toMatch(expected);
  });

  it.each([
    ['HEAD', 200],
    // What busybox' server says to it.
    ['OPTIONS', 501],
  ])('proxies %s, too', async (method, status) => {
    const path = '/api/v1/namespaces/default/pods/named:8080/proxy/index.html';
    expect((await client(plane)({ method, path })).status).toBe(status);
  });

  it('links of proxied pages lead through the proxy', async () => {
    const path = '/api/v1/namespaces/default/services/named:http/proxy';
    expect((await client(plane)({ path: `${path}/page.html` })).text).toBe(`<a href="${path}/x">x</a>\n`);
    const { status, headers } = await client(plane)({ path: `${path}?q=1` });
    expect([status, headers['location']]).toEqual([301, `${path}/?q=1`]);
  });

  it('proxies to pods and Services, by number and by name', async () => {
    const get = (path: string) => kubectl(plane, ['get', '--raw', `/api/v1/namespaces/default/${path}`]);
    for (const target of ['pods/named:8080', 'pods/http:named:8080', 'services/named:http', 'services/named:80']) {
      expect([target, await get(`${target}/proxy/index.html`)]).toMatchObject([target, { stdout: 'from named\n' }]);
    }
    // Without a port it is the pod's first one, on which nothing listens.
    expect((await get('pods/named/proxy/')).stderr).toMatch(/error trying to reach service: .*refused/i);
    // As upstream: named ports must be named, and a number must be a port of the Service.
    expect((await get('services/named/proxy/')).stderr).toContain('no endpoints available for service "named"');
    expect((await get('services/named:nope/proxy/')).stderr).toContain(
      'no endpoints available for service "named:nope"',
    );
    expect((await get('services/named:8080/proxy/')).stderr).toContain(
      'no service port 8080 found for service "named"',
    );
    expect((await get('pods/ftp:named:80/proxy/')).stderr).toContain('invalid pod request "ftp:named:80"');
  });

  it('a token is for its pod’s user or group alone, and they can read it', async () => {
    await apply(
      reader('everybody', '{}', LOOK),
      reader('user', '{runAsUser: 1000}', LOOK),
      reader('group', '{runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000}', LOOK),
    );
    for (const pod of ['everybody', 'user', 'group']) {
      await run('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${pod}`, '--timeout=90s');
    }
    expect(await run('logs', 'everybody')).toBe('644:0:0\nreadable\n');
    expect(await run('logs', 'user')).toBe('600:1000:0\nreadable\n');
    expect(await run('logs', 'group')).toBe('640:1000:2000\nreadable\n');
  });

  it('debug adds a container that sees the processes of another', async () => {
    const there = ['debug', 'named', '--image=busybox:1.35', '--target=main', '--profile=general'];
    await run(...there, '--container=look', '--', 'sh', '-c', 'ps; wget -qO- http://127.0.0.1:8080/; exit 5');
    await expect.poll(() => status('named', `${LOOKING}.terminated.exitCode`)).toBe('5');
    expect(await run('logs', 'named', '-c', 'look')).toMatch(/ 1 .*httpd -f -p 8080[\s\S]*from named\n$/);
    await run(...there, '--container=stay', '--', 'sleep', 'infinity');
    await expect.poll(() => status('named', `${STAYING}.running`)).toContain('startedAt');
    expect(await run('exec', 'named', '-c', 'stay', '--', 'cat', '/proc/1/cmdline')).toContain('httpd');
    // What has ended is not started again, and the pod is as it was.
    expect(await status('named', 'ephemeralContainerStatuses[*].restartCount')).toBe('0 0');
    expect(await status('named', 'containerStatuses[0].restartCount')).toBe('0');
    expect(await run('describe', 'pod', 'named')).toMatch(/Ephemeral Containers:\s+look:/);
  });

  it('a resize is done in place, starts a container again where it must, and waits where it does not fit', async () => {
    await apply(RESIZABLE);
    await run('wait', '--for=condition=Ready', 'pod/resizable', '--timeout=90s');
    const resize = (limits: object, requests: object = {}): Promise<string> => {
      const patch = { spec: { containers: [{ name: 'main', resources: { requests, limits } }] } };
      return run('patch', 'pod', 'resizable', '--subresource=resize', '-p', JSON.stringify(patch));
    };
    const has = async (): Promise<string> => {
      const [resources, restarts, conditions] = await Promise.all([
        status('resizable', 'containerStatuses[0].resources.limits'),
        status('resizable', 'containerStatuses[0].restartCount'),
        status('resizable', 'conditions[*].type'),
      ]);
      return `${resources} ${restarts}${conditions.includes('Resize') ? ' resizing' : ''}`;
    };
    const limits = async (): Promise<string> => {
      const read = 'cd /sys/fs/cgroup; cat cpu.max memory.max || cat cpu/cpu.cfs_quota_us memory/memory.limit_in_bytes';
      return (await run('exec', 'resizable', '--', 'sh', '-c', `(${read}) 2>/dev/null`)).split(/\s+/).join(' ');
    };
    await expect.poll(has).toBe('{"cpu":"30m","memory":"30Mi"} 0');
    await resize({ cpu: '35m' });
    await expect.poll(has).toBe('{"cpu":"35m","memory":"30Mi"} 0');
    expect(await limits()).toMatch(new RegExp(`^3500 .*${30 * 1024 * 1024} $`));
    await resize({ memory: '40Mi' });
    await expect.poll(has).toBe('{"cpu":"35m","memory":"40Mi"} 1');
    expect(await limits()).toMatch(new RegExp(`^3500 .*${40 * 1024 * 1024} $`));
    await resize({ cpu: '4000' }, { cpu: '4000' });
    const pending = 'conditions[?(@.type=="PodResizePending")].reason';
    await expect.poll(() => status('resizable', pending)).toBe('Infeasible');
    expect(await status('resizable', 'containerStatuses[0].allocatedResources.cpu')).toBe('20m');
    await resize({ cpu: '25m' }, { cpu: '25m' });
    await expect.poll(has).toBe('{"cpu":"25m","memory":"40Mi"} 1');
    const about = '--field-selector=involvedObject.name=resizable';
    const reasons = async (): Promise<string[]> =>
      (await run('get', 'events', about, '-o', 'jsonpath={.items[*].reason}')).split(' ');
    const expected = ['ResizeStarted', 'ResizeCompleted', 'ResizeInfeasible'];
    await expect.poll(reasons).toEqual(expect.arrayContaining(expected));
  });

  it('a container that ends is started again as its pod’s policy says', async () => {
    await apply(
      ending('never', 'Never', 'exit 3'),
      ending('done', 'OnFailure', 'exit 0'),
      ending('retried', 'OnFailure', 'exit 3'),
      ending('killed', 'Never', 'sleep 1000'),
      ending('revived', 'OnFailure', 'sleep 1000'),
    );
    for (const pod of ['killed', 'revived']) {
      await run('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=90s');
      const id = await status(pod, 'containerStatuses[0].containerID');
      process.kill(processOf(join(plane.data, 'node/containerd/containerd.sock'), id), 'SIGKILL');
    }
    await run('wait', '--for=jsonpath={.status.phase}=Failed', 'pod/never', 'pod/killed', '--timeout=90s');
    await run('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/done', '--timeout=90s');
    const retried = '{.status.containerStatuses[0].restartCount}';
    for (const pod of ['retried', 'revived']) {
      await expect.poll(() => run('get', 'pod', pod, '-o', `jsonpath=${retried}`)).toMatch(/^[1-9]/);
    }
    const ended = 'containerStatuses[0].state.terminated.exitCode';
    expect([await status('never', ended), await status('done', ended), await status('killed', ended)]).toEqual([
      '3',
      '0',
      '137',
    ]);
    expect(await status('killed', 'containerStatuses[0].restartCount')).toBe('0');
    expect(await status('revived', 'containerStatuses[0].lastState.terminated.exitCode')).toBe('137');
    await run('wait', '--for=condition=Ready', 'pod/revived', '--timeout=90s');
  });
});

const LOOKING = 'ephemeralContainerStatuses[?(@.name=="look")].state';
const STAYING = 'ephemeralContainerStatuses[?(@.name=="stay")].state';
const MESSAGES = 'jsonpath={.items[*].message}';
/** The ports of a slice as `name:number`. */
const PORTS = 'go-template={{range .items}}{{range .ports}}{{.name}}:{{.port}} {{end}}{{end}}';
