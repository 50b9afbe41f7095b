import { describe, expect, it } from 'vitest';
import type { ClusterSnapshot } from '../../src/durable-objects/cluster-rpc.ts';
import { SnapshotMaker } from '../../src/durable-objects/snapshot-maker.ts';
import { memoryKv } from '../support/memory-kv.ts';

type Contents = Omit<ClusterSnapshot, 'version'>;

/** A cluster whose snapshot says no more than `is`, with makers that come and go over the same storage. */
function cluster() {
  const kv = memoryKv();
  const world = { is: 'one', reads: 0, during: (): void => {} };
  const read = async (): Promise<Contents> => {
    world.reads++;
    const { is } = world;
    world.during();
    return { issuer: is } as Contents;
  };
  return { world, awake: () => new SnapshotMaker(kv, read) };
}

describe('the snapshot', () => {
  it('is read once, and answered until something changes', async () => {
    const { world, awake } = cluster();
    const maker = awake();
    const first = await maker.get(0, false);
    expect(first?.issuer).toBe('one');
    expect(await maker.get(first?.version ?? 0, false)).toBeNull();
    expect(await maker.get(0, false)).toEqual(first);
    expect(world.reads).toBe(1);
    world.is = 'two';
    maker.changed();
    const second = await maker.get(first?.version ?? 0, false);
    expect([second?.issuer, world.reads]).toEqual(['two', 2]);
    expect(second?.version).toBeGreaterThan(first?.version ?? 0);
  });

  it('is not read again by who wakes, for those who have the newest', async () => {
    const { world, awake } = cluster();
    const version = (await awake().get(0, false))?.version ?? 0;
    expect(await awake().get(version, false)).toBeNull();
    expect(world.reads).toBe(1);
    expect((await awake().get(0, false))?.version).toBe(version);
    expect(world.reads).toBe(2);
  });

  it('is read again by who wakes, where something has changed before it slept', async () => {
    const { world, awake } = cluster();
    const version = (await awake().get(0, false))?.version ?? 0;
    world.is = 'two';
    awake().changed();
    const next = await awake().get(version, false);
    expect([next?.issuer, world.reads]).toEqual(['two', 2]);
    expect(await awake().get(next?.version ?? 0, false)).toBeNull();
  });

  it('keeps its version where a change comes to nothing', async () => {
    const { world, awake } = cluster();
    const maker = awake();
    const version = (await maker.get(0, false))?.version ?? 0;
    maker.changed();
    expect(await maker.get(version, false)).toBeNull();
    expect(await maker.get(version, true)).toBeNull();
    expect(world.reads).toBe(3);
  });

  it('is read once more, where something changes while it is read', async () => {
    const { world, awake } = cluster();
    const maker = awake();
    world.during = () => {
      world.is = 'two';
      world.during = () => {};
      maker.changed();
    };
    const first = await maker.get(0, false);
    expect(first?.issuer).toBe('one');
    expect((await awake().get(first?.version ?? 0, false))?.issuer).toBe('two');
  });

  it('stays old where it cannot be read', async () => {
    const { world, awake } = cluster();
    const version = (await awake().get(0, false))?.version ?? 0;
    const maker = awake();
    maker.changed();
    world.during = () => {
      throw new Error('no answer');
    };
    await expect(maker.get(version, false)).rejects.toThrow('no answer');
    world.during = () => {};
    world.is = 'two';
    expect((await awake().get(version, false))?.issuer).toBe('two');
  });
});
