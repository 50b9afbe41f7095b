/** The sandbox image, made here byte by byte, so that no registry and no compiler is needed: one static ELF that waits for ever. */
import { createHash } from 'node:crypto';
import { tar } from './tar.ts';

export const PAUSE_IMAGE = 'zeroplane.local/pause:1';

export type Architecture = 'x64' | 'arm64';

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER = 64;
const PROGRAM_HEADER = 56;
const SIGCHLD = 17;

/**
 * A sandbox's process 1 inherits orphans when a pod shares its PID namespace. With SIGCHLD set to SIG_IGN the kernel reaps them by
 * itself. `struct sigaction` on the stack: handler = 1 (SIG_IGN), flags, restorer and mask = 0.
 */
function code(architecture: Architecture): Buffer {
  return architecture === 'x64' ? x64() : arm64();
}

function x64(): Buffer {
  return Buffer.from([
    ...[0x6a, 0x00], // push 0            sa_mask
    ...[0x6a, 0x00], // push 0            sa_restorer
    ...[0x6a, 0x00], // push 0            sa_flags
    ...[0x6a, 0x01], // push 1            sa_handler = SIG_IGN
    ...[0xb8, 0x0d, 0x00, 0x00, 0x00], // mov eax, 13   rt_sigaction
    ...[0xbf, SIGCHLD, 0x00, 0x00, 0x00], // mov edi, SIGCHLD
    ...[0x48, 0x89, 0xe6], // mov rsi, rsp
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x41, 0xba, 0x08, 0x00, 0x00, 0x00], // mov r10d, 8
    ...[0x0f, 0x05], // syscall
    ...[0xb8, 0x22, 0x00, 0x00, 0x00], // mov eax, 34   pause
    ...[0x0f, 0x05], // syscall
    ...[0xeb, 0xf7], // jmp to the mov before pause
  ]);
}

function arm64(): Buffer {
  const instructions = [
    0xd10083ff, // sub sp, sp, #32
    0xd2800020, // mov x0, #1
    0xa9007fe0, // stp x0, xzr, [sp]
    0xa9017fff, // stp xzr, xzr, [sp, #16]
    0xd2800000 | (SIGCHLD << 5), // mov x0, #SIGCHLD
    0x910003e1, // mov x1, sp
    0xd2800002, // mov x2, #0
    0xd2800103, // mov x3, #8
    0xd28010c8, // mov x8, #134  rt_sigaction
    0xd4000001, // svc #0
    0xd2800000, // mov x0, #0    loop: ppoll(NULL, 0, NULL, NULL) waits for a signal
    0xd2800001, // mov x1, #0
    0xd2800002, // mov x2, #0
    0xd2800003, // mov x3, #0
    0xd2800928, // mov x8, #73   ppoll
    0xd4000001, // svc #0
    0x17fffffa, // b loop
  ];
  const bytes = Buffer.alloc(instructions.length * 4);
  for (const [i, instruction] of instructions.entries()) bytes.writeUInt32LE(instruction >>> 0, i * 4);
  return bytes;
}

/** A static 64-bit ELF executable that ignores SIGCHLD and pauses until it is killed. */
export function pauseBinary(architecture: Architecture): Buffer {
  const text = code(architecture);
  const headers = ELF_HEADER + PROGRAM_HEADER;
  const size = BigInt(headers + text.length);
  const file = Buffer.alloc(headers);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  file.writeUInt16LE(2, 16); // executable
  file.writeUInt16LE(architecture === 'x64' ? 62 : 183, 18);
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS + headers), 24); // entry
  file.writeBigUInt64LE(BigInt(ELF_HEADER), 32); // program headers
  file.writeUInt16LE(ELF_HEADER, 52);
  file.writeUInt16LE(PROGRAM_HEADER, 54);
  file.writeUInt16LE(1, 56);
  file.writeUInt32LE(1, ELF_HEADER); // PT_LOAD
  file.writeUInt32LE(5, ELF_HEADER + 4); // readable, executable
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), ELF_HEADER + 16);
  file.writeBigUInt64LE(BigInt(LOAD_ADDRESS), ELF_HEADER + 24);
  file.writeBigUInt64LE(size, ELF_HEADER + 32);
  file.writeBigUInt64LE(size, ELF_HEADER + 40);
  file.writeBigUInt64LE(0x1000n, ELF_HEADER + 48);
  return Buffer.concat([file, text]);
}

const digest = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** The pause image as an OCI layout tarball, for `ctr images import`. */
export function pauseImage(architecture: Architecture): Buffer {
  const layer = tar([{ path: 'pause', data: pauseBinary(architecture), mode: 0o755 }]);
  const config = Buffer.from(
    JSON.stringify({
      architecture: architecture === 'x64' ? 'amd64' : 'arm64',
      os: 'linux',
      config: { Entrypoint: ['/pause'], Env: ['PATH=/'], User: '65535:65535', WorkingDir: '/' },
      rootfs: { type: 'layers', diff_ids: [`sha256:${digest(layer)}`] },
    }),
  );
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType: `application/vnd.oci.image.${mediaType}`,
    digest: `sha256:${digest(bytes)}`,
    size: bytes.length,
  });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: describe('config.v1+json', config),
      layers: [describe('layer.v1.tar', layer)],
    }),
  );
  const annotations = { 'io.containerd.image.name': PAUSE_IMAGE, 'org.opencontainers.image.ref.name': '1' };
  const index = { schemaVersion: 2, manifests: [{ ...describe('manifest.v1+json', manifest), annotations }] };
  return tar([
    { path: 'oci-layout', data: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
    ...[layer, config, manifest].map((data) => ({ path: `blobs/sha256/${digest(data)}`, data })),
    { path: 'index.json', data: Buffer.from(JSON.stringify(index)) },
  ]);
}
