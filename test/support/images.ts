/** Container images for tests, made on this machine without a registry. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tar } from '../../agent/runtime/tar.ts';

/** What images carry of an OCI image configuration. */
export interface ImageConfig {
  Entrypoint?: string[];
  Cmd?: string[];
  Env?: string[];
  User?: string;
  WorkingDir?: string;
  ExposedPorts?: Record<string, object>;
  StopSignal?: string;
}

export interface BuiltImage {
  name: string;
  manifestDigest: string;
  manifest: Buffer;
  /** By digest: layers, configuration and manifest. */
  blobs: Map<string, Buffer>;
}

export const BUSYBOX_IMAGE = 'docker.io/library/busybox:1.35';
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** An image of one gzipped layer per list of entries, for this machine's architecture. */
export function buildImage(name: string, layers: readonly TarEntry[][], config: ImageConfig): BuiltImage {
  const blobs = new Map<string, Buffer>();
  const keep = (mediaType: string, bytes: Buffer): { mediaType: string; digest: string; size: number } => {
    const digest = sha256(bytes);
    blobs.set(digest, bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest, size: bytes.length };
  };
  const archives = layers.map(tar);
  const image = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: archives.map(sha256) },
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: keep('config.v1+json', Buffer.from(JSON.stringify(image))),
    layers: archives.map((archive) => keep('layer.v1.tar+gzip', gzipSync(archive, { level: 6 }))),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  return { name, manifestDigest: keep('manifest.v1+json', bytes).digest, manifest: bytes, blobs };
}

const SKELETON: TarEntry[] = [
  {
    path: 'etc/passwd',
    data: Buffer.from(
      'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\nwww-data:x:33:33:www-data:/:/bin/false\n',
    ),
  },
  { path: 'etc/group', data: Buffer.from('root:x:0:\nnogroup:x:65534:\nwww-data:x:33:\n') },
  { path: 'tmp', directory: true, mode: 0o1777 },
  { path: 'root', directory: true, mode: 0o700 },
  ...['proc', 'sys', 'dev'].map((path): TarEntry => ({ path, directory: true })),
];

/** The entries of a root file system around this machine's static busybox. */
export function busyboxEntries(): TarEntry[] {
  const binary = '/bin/busybox';
  if (!existsSync(binary)) throw new Error('busybox-static is needed to make test images');
  const applets = execFileSync(binary, ['--list'], { encoding: 'utf8' }).trim().split('\n');
  return [
    ...SKELETON,
    { path: 'bin/busybox', data: readFileSync(binary), mode: 0o755 },
    ...applets
      .filter((applet) => applet !== 'busybox')
      .map((applet): TarEntry => ({ path: `bin/${applet}`, link: 'busybox' })),
  ];
}

/** `docker.io/library/busybox:1.35`, or the same under other names. */
export function busyboxImage(name: string = BUSYBOX_IMAGE): BuiltImage {
  return buildImage(name, [busyboxEntries()], { Cmd: ['sh'], Env: [PATH] });
}

/** Writes images as one OCI layout archive, as `ctr -n k8s.io images import` takes it. */
export function writeImages(file: string, images: readonly BuiltImage[]): void {
  const blobs = new Map(images.flatMap((image) => [...image.blobs]));
  const manifests = images.map((image) => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: image.manifestDigest,
    size: image.manifest.length,
    annotations: {
      'io.containerd.image.name': image.name,
      'org.opencontainers.image.ref.name': image.name.split(':').pop() ?? 'latest',
    },
  }));
  const archive = tar([
    { path: 'oci-layout', data: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    ...[...blobs].map(([digest, data]): TarEntry => ({ path: `blobs/sha256/${digest.slice(7)}`, data })),
    { path: 'index.json', data: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })) },
  ]);
  writeFileSync(file, archive);
}
