import { describe, expect, it } from 'vitest';
import { Resync } from '../../src/durable-objects/resync.ts';
import { memoryKv } from '../support/memory-kv.ts';

const MINUTE = 60_000;

/** Ticks once a minute; answers at which minutes the stores were asked, with `quiet` where nothing was heard since. */
async function asked(minutes: number, heardAt: (minute: number) => string, startedAt = (_: number) => 'a') {
  const kept = memoryKv();
  const when: string[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const work = async (quiet: boolean): Promise<void> => void when.push(`${minute}${quiet ? ' quiet' : ''}`);
    await new Resync(kept, startedAt(minute)).whenDue(() => heardAt(minute), work, minute * MINUTE);
  }
  return when;
}

describe('stores are asked for what was missed', () => {
  it.each([
    [
      'rarely, and ever more so, while nothing happens',
      () => 'same',
      undefined,
      '0, 15 quiet, 45 quiet, 105 quiet, 165 quiet',
    ],
    [
      'in each minute in which something happens',
      (m: number) => String(Math.min(m, 3)),
      undefined,
      '0, 1, 2, 3, 18 quiet, 48 quiet, 108 quiet, 168 quiet',
    ],
    [
      'after a start',
      () => 'same',
      (m: number) => (m < 20 ? 'a' : 'b'),
      '0, 15 quiet, 20, 35 quiet, 65 quiet, 125 quiet',
    ],
  ])('%s', async (_, heard, started, minutes) => {
    expect((await asked(170, heard, started)).join(', ')).toBe(minutes);
  });

  it('again in the next minute, where it failed', async () => {
    const resync = new Resync(memoryKv());
    const failing = resync.whenDue(
      () => '',
      () => Promise.reject(new Error('no answer')),
      0,
    );
    await expect(failing).rejects.toThrow('no answer');
    let did = false;
    await resync.whenDue(
      () => '',
      async () => {
        did = true;
      },
      MINUTE,
    );
    expect(did).toBe(true);
  });

  it('what is found missing counts as heard', async () => {
    const resync = new Resync(memoryKv());
    let heard = 'before';
    await resync.whenDue(
      () => heard,
      async () => {
        heard = 'after';
      },
      0,
    );
    const again: boolean[] = [];
    await resync.whenDue(
      () => heard,
      async (quiet) => void again.push(quiet),
      MINUTE,
    );
    expect(again).toEqual([]);
  });
});
