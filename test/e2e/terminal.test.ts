/** What people do with a pod at a terminal: real kubectl, a real pseudo-terminal, a real container. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client } from '../support/https.ts';
import { importImages } from './lab.ts';
import { hasKubectl, isRoot, KUBECTL, kubectl, must } from './support.ts';

const SCRIPT =
  'mkdir -p /www; echo hello > /www/index.html; echo started; trap "exit 0" TERM; httpd -p 80 -h /www; while :; do sleep 0.2; done';

/** Waits in a container until the test has made that file. */
const TOLD = 'until test -e /told; do sleep 0.1; done';

/** A pod whose container starts again. */
const RESTARTING = (script: string): string => `
apiVersion: v1
kind: Pod
metadata: {name: again}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: shared, emptyDir: {}}]
  containers:
  - name: main
    image: busybox:1.35
    command: [sh, -c, "${script}"]
    volumeMounts: [{name: shared, mountPath: /shared}]
`;

/** A process and what it has said so far. */
interface Running {
  child: ChildProcess;
  output(): string;
}

describe.skipIf(!(hasKubectl && isRoot) && process.env['CI'] !== 'true')('at a terminal', () => {
  let plane: ControlPlane;
  let folder: string;
  const running: ChildProcess[] = [];
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const start = (command: string, args: string[], env: Record<string, string> = {}): Running => {
    const child = spawn(command, args, { env: { ...process.env, KUBECONFIG: plane.kubeconfig, ...env } });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    running.push(child);
    return { child, output: () => output };
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'zeroplane-terminal-'));
    plane = await startControlPlane({ nodes: 'real' });
    importImages(join(plane.data, 'node/containerd/containerd.sock'));
    await run('run', 'web', '--image=busybox:1.35', '--', 'sh', '-c', SCRIPT);
    await run('wait', '--for=condition=Ready', 'pod/web', '--timeout=90s');
  });
  afterAll(async () => {
    for (const child of running) child.kill();
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('exec -it has a terminal of the right size, and follows its changes', async () => {
    // The size comes a moment after the process, upstream too.
    const size = 'until stty size 2>/dev/null | grep .; do sleep 0.1; done';
    // Rows and columns change one after the other.
    const changed = 'until [ "$(stty size)" = "44 120" ]; do sleep 0.1; done; stty size';
    const remote = `tty; ${size}; ${changed}; exit 5`;
    const local = `tty; stty rows 33 cols 101; ${KUBECTL} exec -it web -- sh -c '${remote}'; echo ended $?`;
    const { output } = start('script', ['-qfec', local, '/dev/null'], { SHELL: '/bin/sh' });
    await expect.poll(output).toMatch(/33 101/);
    const [, terminal = ''] = /^(\/dev\/pts\/\d+)/m.exec(output()) ?? [];
    execFileSync('stty', ['-F', terminal, 'rows', '44', 'cols', '120']);
    await expect.poll(output).toMatch(/44 120[\s\S]*ended 5/);
    expect(output()).toMatch(/\/dev\/pts\/\d+\s+33 101/);
  });

  it('exec -it carries keys, Ctrl-C too, to the process there', async () => {
    const remote = 'trap "echo caught; exit 9" INT; read line; echo "got $line"; while :; do sleep 0.1; done';
    const local = `${KUBECTL} exec -it web -- sh -c '${remote}'; echo ended $?`;
    const { child, output } = start('script', ['-qfec', local, '/dev/null'], { SHELL: '/bin/sh' });
    child.stdin?.write('some keys\n');
    await expect.poll(output).toContain('got some keys');
    child.stdin?.write('\x03');
    await expect.poll(output).toMatch(/caught[\s\S]*ended 9/);
  });

  it('attach -it types into the process that the pod is', async () => {
    const options = ['--stdin', '--tty', '--attach=false', '--restart=Never'];
    await run('run', 'typist', '--image=busybox:1.35', ...options, '--', 'sh');
    await run('wait', '--for=condition=Ready', 'pod/typist', '--timeout=90s');
    const attached = `stty rows 21 cols 77; ${KUBECTL} attach -it typist; echo ended $?`;
    const { child, output } = start('script', ['-qfec', attached, '/dev/null'], { SHELL: '/bin/sh' });
    // What is typed before it is attached is for the terminal here.
    await expect.poll(output).toMatch(/press(ing)? enter|# /);
    // kubectl attach sends a size one larger first, so that what runs there draws itself anew.
    child.stdin?.write('echo $((20 + 3))\nuntil stty size | grep "^21 77"; do sleep 0.1; done\n');
    await expect.poll(output).toMatch(/^23\s[\s\S]*^21 77/m);
    child.stdin?.write('exit 0\n');
    await expect.poll(output).toMatch(/ended 0/);
    await run('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/typist', '--timeout=90s');
  });

  it('run -i --rm takes a pod for one command', async () => {
    const args = [
      'run',
      'once',
      '-i',
      '--rm',
      '--restart=Never',
      '--image=busybox:1.35',
      '--',
      'sh',
      '-c',
      'cat; exit 4',
    ];
    expect(await kubectl(plane, args, 'through\n')).toMatchObject({
      code: 4,
      stdout: expect.stringContaining('through\n'),
    });
    await expect.poll(async () => (await kubectl(plane, ['get', 'pod', 'once'])).stderr).toContain('NotFound');
  });

  it('logs of the container before, since, and with times', async () => {
    const script = 'echo run; test -e /shared/ran && sleep 1000; touch /shared/ran';
    await must(plane, ['apply', '-f', '-'], RESTARTING(script));
    const restarts = 'jsonpath={.status.containerStatuses[0].restartCount}';
    await expect.poll(() => run('get', 'pod', 'again', '-o', restarts)).toBe('1');
    expect(await run('logs', 'again', '--previous', '--timestamps')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z run\n$/);
    await expect.poll(() => run('logs', 'again')).toBe('run\n');
    expect(await run('logs', 'again', '--since-time=2999-01-01T00:00:00Z')).toBe('');
    expect((await kubectl(plane, ['logs', 'web', '--previous'])).stderr).toContain(
      'previous terminated container "web" in pod "web" not found',
    );
  });

  it('logs -f follows until the pod ends', async () => {
    await run(
      'run',
      'talker',
      '--image=busybox:1.35',
      '--restart=Never',
      '--',
      'sh',
      '-c',
      `echo one; ${TOLD}; echo two`,
    );
    await run('wait', '--for=jsonpath={.status.phase}=Running', 'pod/talker', '--timeout=90s');
    const { child, output } = start(KUBECTL, ['logs', '-f', 'talker']);
    await expect.poll(output).toBe('one\n');
    await run('exec', 'talker', '--', 'touch', '/told');
    await expect.poll(() => child.exitCode).toBe(0);
    expect(output()).toBe('one\ntwo\n');
    await run('wait', '--for=jsonpath={.status.phase}=Succeeded', 'pod/talker', '--timeout=90s');
    expect(await run('logs', 'talker', '--tail=1')).toBe('two\n');
  });

  it('attach shows what is printed from now on', async () => {
    await run('run', 'clock', '--image=busybox:1.35', '--', 'sh', '-c', 'while :; do echo tick; sleep 0.2; done');
    await run('wait', '--for=condition=Ready', 'pod/clock', '--timeout=90s');
    const { child, output } = start(KUBECTL, ['attach', 'clock']);
    await expect.poll(output).toMatch(/tick\n.*tick/s);
    child.kill();
  });

  it('cp copies both ways', async () => {
    const file = join(folder, 'there');
    writeFileSync(file, 'x'.repeat(200_000));
    await run('cp', file, 'web:/tmp/there');
    expect(await run('exec', 'web', '--', 'wc', '-c', '/tmp/there')).toBe('200000 /tmp/there\n');
    await run('cp', 'web:/tmp/there', join(folder, 'back'));
    expect(readFileSync(join(folder, 'back'), 'utf8')).toBe(readFileSync(file, 'utf8'));
    mkdirSync(join(folder, 'tree/below'), { recursive: true });
    writeFileSync(join(folder, 'tree/below/run.sh'), 'echo ran', { mode: 0o755 });
    await run('cp', join(folder, 'tree'), 'web:/tmp/');
    expect(await run('exec', 'web', '--', '/bin/sh', '-c', '/tmp/tree/below/run.sh')).toBe('ran\n');
  });

  it('port-forward carries requests', async () => {
    const { child, output } = start(KUBECTL, ['port-forward', 'pod/web', ':80']);
    await expect.poll(output).toMatch(/Forwarding from 127\.0\.0\.1:\d+/);
    const [, port] = /127\.0\.0\.1:(\d+)/.exec(output()) ?? [];
    for (let i = 0; i < 3; i++) expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello\n');
    child.kill();
  });

  it('get -w shows a pod from its start to its end', async () => {
    const send = client(plane);
    const watchers = async (): Promise<number> =>
      Number((await send({ path: '/zeroplane/v1/stores/core/pods/stats' })).body['watchers']);
    const others = await watchers();
    const { child, output } = start(KUBECTL, ['get', 'pods', '-w', '--field-selector=metadata.name=passing']);
    await expect.poll(watchers).toBeGreaterThan(others);
    await run('run', 'passing', '--image=busybox:1.35', '--restart=Never', '--', 'sh', '-c', TOLD);
    await expect.poll(output).toMatch(/^passing +1\/1 +Running/m);
    await run('exec', 'passing', '--', 'touch', '/told');
    await expect
      .poll(output)
      .toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE\n(passing +0\/1 +Pending +.*\n)*(passing +0\/1 +ContainerCreating.*\n)+(passing +1\/1 +Running.*\n)+(passing +0\/1 +Completed.*\n)+/m,
      );
    child.kill();
  });

  it('edit applies what the editor made of it', async () => {
    const editor = join(folder, 'editor');
    writeFileSync(editor, `#!/bin/sh\nsed -i 's/run: web/run: edited/' "$1"\n`, { mode: 0o755 });
    const { child, output } = start(KUBECTL, ['edit', 'pod', 'web'], { KUBE_EDITOR: editor });
    await new Promise((resolve) => child.once('exit', resolve));
    expect(output()).toContain('pod/web edited');
    expect(await run('get', 'pod', 'web', '-o', 'jsonpath={.metadata.labels.run}')).toBe('edited');
  });

  it('describe tells the story of a pod by its events', async () => {
    const text = await run('describe', 'pod', 'web');
    for (const line of [
      /Normal +Scheduled +\S+ +default-scheduler +Successfully assigned default\/web to /,
      /Normal +Pulled +\S+ +kubelet +.*Container image "busybox:1.35" already present on machine/,
      /Normal +Created +\S+ +kubelet +.*Container created/,
      /Normal +Started +\S+ +kubelet +.*Container started/,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it('delete waits for a pod that ends by itself, and for no more than its grace', async () => {
    const started = Date.now();
    await run('delete', 'pod', 'web', '--grace-period=90');
    expect(Date.now() - started).toBeLessThan(60_000);
    await run('run', 'stubborn', '--image=busybox:1.35', '--', 'sh', '-c', 'trap "" TERM; while :; do sleep 1; done');
    await run('wait', '--for=condition=Ready', 'pod/stubborn', '--timeout=90s');
    const deleting = Date.now();
    await run('delete', 'pod', 'stubborn', '--grace-period=2');
    const took = Date.now() - deleting;
    expect(took).toBeGreaterThan(1500);
    // Its own would be half a minute.
    expect(took).toBeLessThan(28_000);
  });

  it('a finalizer holds an object until it is taken away', async () => {
    await run('create', 'configmap', 'held');
    await run('patch', 'configmap', 'held', '--type=merge', '-p', '{"metadata":{"finalizers":["example.com/hold"]}}');
    await run('delete', 'configmap', 'held', '--wait=false');
    expect(await run('get', 'configmap', 'held', '-o', 'jsonpath={.metadata.deletionTimestamp}')).not.toBe('');
    await run('patch', 'configmap', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]');
    expect((await kubectl(plane, ['get', 'configmap', 'held'])).stderr).toContain('NotFound');
  });
});
