/** Volumes of images: who waits for them, what containers see, and that containerd has nothing of them left at the end. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../agent/client.ts';
import type { KubeletDeps } from '../../agent/kubelet/deps.ts';
import { ImageVolumes } from '../../agent/kubelet/image-volumes.ts';
import { WaitingError, type WantedImage } from '../../agent/kubelet/images.ts';
import { resolveImageSubPath } from '../../agent/kubelet/volumes/image.ts';
import { VolumeManager } from '../../agent/kubelet/volumes/manager.ts';
import { type Containerd, importImages, startContainerd } from '../../agent/runtime/containerd.ts';
import type { TarEntry } from '../../agent/runtime/tar.ts';
import type { Container, Pod } from '../../src/generated/types/core.v1.ts';
import { type BuiltImage, buildImage, writeImages } from '../support/images.ts';

const mounting = (...names: string[]): Container => ({
  name: names.join('-'),
  volumeMounts: names.map((name) => ({ name, mountPath: `/${name}` })),
});

describe('a container that mounts images', () => {
  const volumes = ['a', 'b', 'gone', 'never', 'broken'].map((name) => ({ name, image: { reference: `of-${name}` } }));
  const pod: Pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { containers: [], volumes: [...volumes, { name: 'plain', emptyDir: {} }] },
  };
  /** With what was asked for. `b` is mounted already. */
  const world = () => {
    const asked: string[] = [];
    const failures: Record<string, string> = { 'of-gone': 'ErrImagePull', 'of-never': 'ErrImageNeverPull' };
    const deps = {
      config: { for: () => undefined },
      images: {
        ensure: async (_: Pod, { reference, fieldPath }: WantedImage) => {
          asked.push(`${reference} ${fieldPath}`);
          const reason = failures[reference];
          if (reason !== undefined) throw new WaitingError(reason, `no ${reference}`);
          return { id: `sha256:${reference}` };
        },
      },
      volumes: {
        mountedImage: (_: string, name: string) => (name === 'b' ? '/pods/b' : undefined),
        mountImage: async (_: string, name: string, id: string) => {
          if (name === 'broken') throw new Error('no room');
          return `/pods/${name}/${id}`;
        },
      },
    } as unknown as KubeletDeps;
    return { asked, images: new ImageVolumes(deps, pod, new AbortController().signal) };
  };

  it('gets those that it mounts, pulled once for all containers, about whose events the pod is', async () => {
    const { asked, images } = world();
    const paths = new Map([['a', '/pods/a/sha256:of-a']]);
    expect(await images.of(mounting('a', 'plain'))).toEqual(paths);
    expect(await images.of(mounting('a', 'b'))).toEqual(paths.set('b', '/pods/b'));
    expect(asked).toEqual(['of-a undefined']);
  });

  it.each([
    [['gone', 'a'], 'ErrImagePull', 'no of-gone'],
    [['gone', 'never'], 'ErrImageNeverPull', 'no of-never'],
    [['broken'], 'CreateContainerError', 'ImageVolumeMountFailed: no room'],
  ])('that cannot be had (%j) waits: %s', async (names, reason, message) => {
    const { asked, images } = world();
    for (let i = 0; i < 2; i++) {
      await expect(images.of(mounting(...names))).rejects.toMatchObject({ reason, message });
    }
    expect(asked).toHaveLength(names.length);
    expect(await images.of(mounting('plain'))).toEqual(new Map());
  });
});

const able = process.getuid?.() === 0 && ['/usr/bin/containerd', '/usr/bin/ctr'].every((path) => existsSync(path));

describe.skipIf(!able)('images mounted by containerd', { timeout: 60_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'zp-image-volumes-'));
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  let containerd: Containerd;
  let manager: VolumeManager;
  const ctr = (...args: string[]): string =>
    execFileSync('ctr', ['-a', containerd.socket, '-n', 'k8s.io', ...args], { encoding: 'utf8' });
  /** What containerd has on behalf of volumes. */
  const remains = (): string[] =>
    [ctr('leases', 'ls', '-q'), ctr('snapshots', 'ls')].join('\n').match(/\S*kubernetes\.io~image\S*/g) ?? [];

  beforeAll(async () => {
    containerd = await startContainerd({ dataDir: folder, log: quiet });
    manager = new VolumeManager(join(folder, 'pods'), {} as HttpClient, containerd.socket);
    const image = (name: string): BuiltImage => {
      const layer: TarEntry[] = [
        { path: 'which', data: Buffer.from(name) },
        { path: 'some/folder', directory: true },
        { path: 'out', link: '/etc' },
      ];
      return buildImage(`docker.io/library/${name}:1`, [layer], {});
    };
    writeImages(join(folder, 'images.tar'), [image('one'), image('two')]);
    await importImages(containerd.socket, join(folder, 'images.tar'));
  });
  afterAll(async () => {
    for (const uid of await manager.present()) await manager.tearDown(uid);
    await containerd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('are read-only, stay as they are, and leave nothing', async () => {
    const path = await manager.mountImage('u1', 'v', 'docker.io/library/one:1');
    expect(await manager.mountImage('u1', 'v', 'docker.io/library/two:1')).toBe(path);
    expect(manager.mountedImage('u1', 'v')).toBe(path);
    expect(readFileSync(join(path, 'which'), 'utf8')).toBe('one');
    expect(() => writeFileSync(join(path, 'which'), 'x')).toThrow('EROFS');
    expect(await resolveImageSubPath(path, 'some/folder')).toBe(join(path, 'some/folder'));
    await expect(resolveImageSubPath(path, 'which')).rejects.toThrow('only directory subpath is supported');
    await expect(resolveImageSubPath(path, 'some/other')).rejects.toThrow('there is no some/other inside');
    await expect(resolveImageSubPath(path, 'out')).rejects.toThrow('there is no out inside');
    expect(ctr('snapshots', 'info', path)).toContain('containerd.io/gc.root');
    await manager.tearDown('u1');
    expect(remains()).toEqual([]);
    expect(existsSync(manager.podDir('u1'))).toBe(false);
    expect(manager.mountedImage('u1', 'v')).toBeUndefined();
    // Whoever has a way to write to a volume writes to nothing that others have.
    const again = await manager.mountImage('u2', 'v', 'docker.io/library/one:1');
    execFileSync('mount', ['-o', 'remount,bind,rw', again]);
    writeFileSync(join(again, 'which'), 'x');
    expect(readFileSync(join(await manager.mountImage('u3', 'v', 'docker.io/library/one:1'), 'which'), 'utf8')).toBe(
      'one',
    );
  });

  it.each<[string, (path: string) => void]>([
    ['the folder was made', (path) => mkdirSync(path, { recursive: true })],
    ['it was mounted, and nothing more', (path) => ctr('images', 'mount', '--rw', 'docker.io/library/one:1', path)],
    [
      'the machine was started anew',
      (path) => {
        ctr('images', 'mount', '--rw', 'docker.io/library/one:1', path);
        execFileSync('umount', [path]);
      },
    ],
  ])('are mounted or taken away also when an agent had ended after %s', async (what, begin) => {
    for (const ends of [true, false]) {
      const uid = `${what}-${ends}`.replaceAll(' ', '-').replace(',', '');
      const path = join(manager.podDir(uid), 'volumes/kubernetes.io~image/v');
      mkdirSync(path, { recursive: true });
      begin(path);
      expect(manager.mountedImage(uid, 'v')).toBeUndefined();
      if (!ends) {
        await manager.mountImage(uid, 'v', 'docker.io/library/two:1');
        expect(readFileSync(join(path, 'which'), 'utf8')).toBe('two');
      }
      await manager.tearDown(uid);
      expect(remains().filter((line) => line.includes(uid))).toEqual([]);
      expect(readdirSync(join(folder, 'pods'))).not.toContain(uid);
    }
  });

  it('are none where the image is not', async () => {
    await expect(manager.mountImage('u4', 'v', 'docker.io/library/none:1')).rejects.toThrow(/none:1.* not found/);
    await manager.tearDown('u4');
    expect(remains().filter((line) => line.includes('u4'))).toEqual([]);
  });
});
