/** exec, attach and port-forward with a real containerd and the agent's own CNI configuration. Skipped where it cannot run. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { cniConfig } from '../../agent/network/cni.ts';
import { bridgeName } from '../../agent/network/names.ts';
import { run } from '../../agent/network/run.ts';
import { paths } from '../../agent/paths.ts';
import { type Containerd, importImages, startContainerd } from '../../agent/runtime/containerd.ts';
import { CriClient } from '../../agent/runtime/cri.ts';
import type { ContainerConfig, PodSandboxConfig } from '../../agent/runtime/cri-types.ts';
import { execHandler } from '../../agent/streaming/exec.ts';
import { overWebSocket, portForwardHandler } from '../../agent/streaming/portforward.ts';
import type { StreamHandler, StreamRequest } from '../../agent/streaming/request.ts';
import { SpdyConnection } from '../../agent/streaming/spdy/connection.ts';
import { BUSYBOX_IMAGE, busyboxImage, writeImages } from '../support/images.ts';

const able =
  process.getuid?.() === 0 &&
  ['/usr/bin/containerd', '/usr/bin/ctr', '/bin/busybox', '/usr/lib/cni/bridge'].every((path) => existsSync(path));
const MIB = 1 << 20;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe.skipIf(!able)('streams with containerd', () => {
  const folder = mkdtempSync(join(tmpdir(), 'zp-stream-'));
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let containerd: Containerd;
  let cri: CriClient;
  let sandbox = '';
  let container = '';

  beforeAll(async () => {
    const { cniConf } = paths(folder);
    mkdirSync(cniConf, { recursive: true });
    writeFileSync(join(cniConf, '10-test.conflist'), JSON.stringify(cniConfig(folder, '10.99.9.0/24')));
    containerd = await startContainerd({ dataDir: folder, log: quiet });
    writeImages(join(folder, 'images.tar'), [busyboxImage()]);
    await importImages(containerd.socket, join(folder, 'images.tar'));
    cri = new CriClient(containerd.socket);
    const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const;
    const nothing = { labels: {}, annotations: {} };
    const pod: PodSandboxConfig = {
      metadata: { name: 'p', uid: 'u', namespace: 'a', attempt: 0 },
      hostname: 'p',
      logDirectory: join(folder, 'logs'),
      ...nothing,
      linux: { cgroupParent: '/zp-stream-test', securityContext: { namespaceOptions } },
    };
    sandbox = await cri.runPodSandbox(pod);
    const config: ContainerConfig = {
      metadata: { name: 'c', attempt: 0 },
      image: { image: BUSYBOX_IMAGE },
      // A server that is there for the pod's own loopback alone.
      command: [
        'sh',
        '-c',
        'mkdir -p /www; echo from-the-pod > /www/x; httpd -p 127.0.0.1:8080 -h /www; sleep 3600 & wait',
      ],
      args: [],
      workingDir: '/',
      envs: [],
      mounts: [],
      devices: [],
      ...nothing,
      logPath: 'c.log',
      stdin: false,
      stdinOnce: false,
      tty: false,
      linux: { resources: {}, securityContext: { namespaceOptions } },
    };
    container = await cri.createContainer(sandbox, config, pod);
    await cri.startContainer(container);
  }, 60_000);

  afterAll(async () => {
    if (sandbox !== '') {
      await cri.stopPodSandbox(sandbox).catch(() => {});
      await cri.removePodSandbox(sandbox).catch(() => {});
    }
    cri?.close();
    await containerd?.stop();
    server.close();
    await run('sh', ['-c', 'find /sys/fs/cgroup -maxdepth 3 -depth -name zp-stream-test -exec rmdir {} +']).catch(
      () => {},
    );
    await run('ip', ['link', 'del', bridgeName(folder)]).catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  /** Runs a handler on one end of a WebSocket; answers with the other. */
  const serve = async (handler: StreamHandler, more: Partial<StreamRequest>): Promise<WebSocket> => {
    const accepted = new Promise<WebSocket>((done) => server.once('connection', done));
    const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const socket = await accepted;
    socket.pause();
    const request = {
      id: 'i',
      kind: 'exec' as const,
      namespace: 'a',
      name: 'p',
      uid: 'u',
      container: 'c',
      query: '',
      protocol: '',
    };
    void handler(Object.assign(request, more), socket);
    await new Promise((done) => (client.readyState === client.OPEN ? done(undefined) : client.once('open', done)));
    return client;
  };
  interface Ended {
    out: Buffer;
    err: string;
    status: { status: string; reason?: string; message?: string; details?: { causes: { message: string }[] } };
  }
  const exec = async (
    command: string[],
    options: string,
    talk: (socket: WebSocket) => void = () => {},
  ): Promise<Ended> => {
    const query = `${options}&${command.map((part) => `command=${encodeURIComponent(part)}`).join('&')}`;
    const socket = await serve(execHandler({ cri, findContainer: () => container }), { query });
    const frames: Buffer[] = [];
    socket.on('message', (data) => frames.push(data as Buffer));
    talk(socket);
    await new Promise((done) => socket.once('close', done));
    const channel = (number: number): Buffer =>
      Buffer.concat(frames.filter((f) => f[0] === number).map((f) => f.subarray(1)));
    return { out: channel(1), err: channel(2).toString(), status: JSON.parse(channel(3).toString()) };
  };
  const frame = (channel: number, payload: string | Buffer): Buffer =>
    Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]);

  it('says what was written, where to, and the exit code', async () => {
    const { out, err, status } = await exec(['sh', '-c', 'echo out; echo err >&2; exit 7'], 'stdout=true&stderr=true');
    expect([out.toString(), err]).toEqual(['out\n', 'err\n']);
    expect(status).toMatchObject({
      status: 'Failure',
      reason: 'NonZeroExitCode',
      details: { causes: [{ message: '7' }] },
    });
  });
  it('hands all of stdin over, and its end', async () => {
    const { out, status } = await exec(['wc', '-c'], 'stdin=true&stdout=true', (socket) => {
      for (let i = 0; i < 16; i++) socket.send(frame(0, Buffer.alloc(MIB)));
      socket.send(Buffer.from([255, 0]));
    });
    expect(out.toString().trim()).toBe(String(16 * MIB));
    expect(status.status).toBe('Success');
  });
  it('carries much output, whole', async () => {
    const { out } = await exec(['head', '-c', String(32 * MIB), '/dev/zero'], 'stdout=true');
    expect(out).toHaveLength(32 * MIB);
  });
  it('has a terminal that changes its size', async () => {
    const { out } = await exec(
      // The size comes a moment after the process, upstream too.
      ['sh', '-c', 'until stty size | grep "45 123"; do sleep 0.1; done; read line; echo $line'],
      'stdin=true&stdout=true&tty=true',
      (socket) => {
        socket.send(frame(4, '{"Width":123,"Height":45}'));
        socket.send(frame(0, 'typed\n'));
      },
    );
    expect(out.toString()).toMatch(/45 123\r\n(?:typed\r\n){1,2}$/);
  });
  it('says that there is no such program', async () => {
    const { status } = await exec(['/no/such/program'], 'stdout=true');
    expect(status.status).toBe('Failure');
    expect(status.message).toContain('no such file or directory');
  });
  it('forwards to a port of the pod’s own loopback', async () => {
    const handler = portForwardHandler({ cri, findSandbox: () => sandbox });
    const socket = await serve(handler, { protocol: 'SPDY/3.1+portforward.k8s.io' });
    const client = new SpdyConnection(overWebSocket(socket), { side: 'client' });
    const read = async (requestid: string, port: string): Promise<{ data: string; error: string }> => {
      const error = await client.open({ streamtype: 'error', port, requestid });
      const data = await client.open({ streamtype: 'data', port, requestid });
      error.end();
      data.write('GET /x HTTP/1.0\r\n\r\n');
      const texts = [data, error].map(async (stream) => {
        let text = '';
        for await (const chunk of stream) text += String(chunk);
        return text;
      });
      return { data: await (texts[0] as Promise<string>).catch(() => ''), error: (await texts[1]) ?? '' };
    };
    const answer = await read('0', '8080');
    expect(answer).toEqual({ data: expect.stringMatching(/^HTTP\/1.[01] 200 OK.*from-the-pod\n$/s), error: '' });
    expect((await read('1', '8081')).error).toMatch(/error forwarding port 8081 to pod.*connection refused/s);
    client.close();
  });
});
