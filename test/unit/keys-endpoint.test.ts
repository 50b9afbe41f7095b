/** `/zeroplane/v1/keys`: what it asks of the cluster and the stores, and what it refuses before anything is changed. */
import { describe, expect, it } from 'vitest';
import type { Surroundings } from '../../src/api/context.ts';
import { keys } from '../../src/api/handlers/keys.ts';
import { requestInfo } from '../../src/api/request-info.ts';
import { conflict, StatusError } from '../../src/apimachinery/errors.ts';

const SEALED = { key: 'k', root: 'r', since: '', rewriting: false };
const CA = { id: 'ca', state: 'signs', from: '', until: '' };
const KEY = { kid: 'one', state: 'signs', from: '', until: '' };

async function ask(method: string, path: string): Promise<{ answer: unknown; done: string[] }> {
  const done: string[] = [];
  const encryption = (of: string) => async (rotate: boolean) => {
    if (rotate) done.push(`rotate ${of}`);
    return of === 'none' ? null : SEALED;
  };
  const around = {
    encryptedStores: ['core/secrets', 'none'],
    store: (_: string, id: string) => ({ encryption: encryption(id) }),
    cluster: () => ({
      keys: async () => [KEY],
      authorities: async () => [CA],
      encryption: encryption('cluster'),
      rotateSigningKey: async (ms: number) => done.push(`sign in ${ms / 1000} s`),
      rotateAuthority: async (ms: number) => done.push(`a CA signs in ${ms / 1000} s`),
      retireKey: async (kid: string) => {
        if (kid === 'one') return { status: conflict({ group: '', resource: 'keys' }, kid, 'it signs').status };
        done.push(`retire ${kid}`);
        return null;
      },
    }),
  } as unknown as Surroundings;
  const request = new Request(`https://api/zeroplane/v1/keys${path}`, { method });
  const kid = new URL(request.url).pathname.split('/')[4];
  try {
    return { answer: await keys(request, requestInfo(method, new URL(request.url)), around, kid), done };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { answer: `${error.status.code} ${error.status.message}`, done };
  }
}

describe('the keys of a cluster', () => {
  const ALL = ['rotate cluster', 'rotate core/secrets', 'rotate none'];
  it.each<[string, string, string[]]>([
    ['GET', '', []],
    ['POST', '', ['sign in 3600 s', ...ALL]],
    ['POST', '?signs=now', ['sign in 3 s', ...ALL]],
    ['POST', '?what=signing', ['sign in 3600 s']],
    ['POST', '?what=encryption', ALL],
    ['POST', '?what=ca', ['a CA signs in 3600 s']],
    ['POST', '?what=ca&signs=now', ['a CA signs in 3 s']],
    ['DELETE', '/two', ['retire two']],
  ])('%s %s', async (method, path, expected) => {
    const { answer, done } = await ask(method, path);
    expect(done).toEqual(expected);
    const encryption = ['cluster', 'core/secrets'].map((of) => ({ of, ...SEALED }));
    expect(answer).toEqual({ signing: [KEY], authorities: [CA], encryption });
  });

  it.each<[string, string, string]>([
    ['POST', '?what=x', '400 what must be signing, encryption or ca'],
    ['POST', '?signs=later', '400 signs must be now'],
    ['POST', '/two', '405 '],
    ['PUT', '', '405 '],
    ['DELETE', '', '405 '],
    ['DELETE', '/one', '409 Operation cannot be fulfilled on keys "one": it signs'],
  ])('%s %s is refused, and nothing is done', async (method, path, why) => {
    const { answer, done } = await ask(method, path);
    expect(answer).toContain(why);
    expect(done).toEqual([]);
  });
});
