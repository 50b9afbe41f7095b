/** What pods find in their volumes, and who may read it. */
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpClient } from '../../agent/client.ts';
import { writeAtomically } from '../../agent/kubelet/volumes/atomic-writer.ts';
import { MountError, VolumeManager } from '../../agent/kubelet/volumes/manager.ts';
import { setGroup } from '../../agent/kubelet/volumes/mount.ts';
import { type PayloadSources, tokenAccess, volumePayload } from '../../agent/kubelet/volumes/payload.ts';
import type { Container, PodSpec, Volume } from '../../src/generated/types/core.v1.ts';

const root = process.getuid?.() === 0;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zp-volumes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a token', () => {
  const as = (runAsUser?: number): Container =>
    runAsUser === undefined ? { name: 'c' } : { name: 'c', securityContext: { runAsUser } };
  it.each<[string, PodSpec, ReturnType<typeof tokenAccess>]>([
    ['everybody’s, as asked', { containers: [as()] }, { mode: 0o644 }],
    ['the one user’s', { containers: [as(1000), as(1000)] }, { mode: 0o600, uid: 1000 }],
    ['the pod’s user’s', { containers: [as()], securityContext: { runAsUser: 7 } }, { mode: 0o600, uid: 7 }],
    ['root’s too', { containers: [as(0)] }, { mode: 0o600, uid: 0 }],
    ['of two users', { containers: [as(1000), as(1001)] }, { mode: 0o644 }],
    ['of a user and who knows', { containers: [as(1000), as()] }, { mode: 0o644 }],
    ['of another init container', { initContainers: [as(5)], containers: [as(1000)] }, { mode: 0o644 }],
    ['a group’s', { containers: [as()], securityContext: { fsGroup: 2000 } }, { mode: 0o600 }],
  ])('is %s', (_, spec, access) => {
    expect(tokenAccess({ metadata: { name: 'p' }, spec }, 0o644)).toEqual(access);
  });
});

describe('a projected volume', () => {
  const payload = (source: object) =>
    volumePayload({ metadata: { name: 'p' } }, { name: 'v', projected: { sources: [source] } }, {} as PayloadSources);

  it('takes nothing from a source without a kind', async () => {
    expect(await payload({})).toEqual(new Map());
  });

  it.each(['clusterTrustBundle', 'podCertificate'])('says that there are no objects for a %s', async (kind) => {
    await expect(payload({ [kind]: {} })).rejects.toThrow(`projected volumes with a ${kind} are not supported`);
  });
});

describe('volumes that cannot be', () => {
  it.each<[Volume, string]>([[{ name: 'v', nfs: { server: 's', path: '/' } }, 'no volume plugin matched']])(
    '%o',
    async (volume, why) => {
      const manager = new VolumeManager(folder, {} as HttpClient, '/nowhere');
      const pod = { metadata: { name: 'p', uid: 'u' }, spec: { containers: [], volumes: [volume] } };
      await expect(manager.setUp(pod, {} as PayloadSources)).rejects.toThrow(
        new MountError(`MountVolume.SetUp failed for volume "v" : ${why}`),
      );
    },
  );
});

describe.skipIf(!root)('a volume for a user or a group', () => {
  it('has the user as owner of what is the user’s', async () => {
    await writeAtomically(folder, new Map([['token', { data: Buffer.from('t'), mode: 0o600, uid: 1234 }]]));
    expect(statSync(join(folder, 'token'))).toMatchObject({ uid: 1234, gid: 0, mode: 0o100600 });
  });

  it('is the group’s before anybody sees it, also when it changes', async () => {
    chownSync(folder, 0, 2000);
    for (const text of ['one', 'two']) {
      const seen: boolean[] = [];
      await writeAtomically(folder, new Map([['token', { data: Buffer.from(text), mode: 0o600 }]]), async () => {
        seen.push(existsSync(join(folder, 'token')) && readFileSync(join(folder, 'token'), 'utf8') === text);
        await setGroup(folder, 2000, true);
      });
      expect(seen).toEqual([false]);
      expect(statSync(join(folder, 'token'))).toMatchObject({ uid: 0, gid: 2000, mode: 0o100640 });
    }
  });
});
