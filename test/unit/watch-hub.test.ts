import { describe, expect, it } from 'vitest';
import { MemoryBackend } from '../../src/store/memory-backend.ts';
import { ResourceStore } from '../../src/store/store.ts';
import type { Sink } from '../../src/store/watch-hub.ts';

const text = new TextDecoder();

/** A watcher: the names in each message that it got. */
class Watcher implements Sink {
  readonly messages: string[] = [];
  isOpen = true;
  send(message: Uint8Array): void {
    const events = text.decode(message).trimEnd().split('\n');
    this.messages.push(events.map((event) => JSON.parse(event).object.metadata.name).join(' '));
  }
  close(): void {
    this.isOpen = false;
  }
}

/** A store at which it is as crowded as `crowd` says, and a clock that is wound by hand. */
function crowded() {
  const due: (() => void)[] = [];
  const crowd = { is: true };
  const pace = { isCrowded: () => crowd.is, later: (run: () => void) => void due.push(run) };
  const store = new ResourceStore<Watcher>(new MemoryBackend(), {
    resource: { group: '', resource: 'configmaps' },
    pace,
  });
  const create = (name: string, size = 0): void => {
    const text = JSON.stringify({ metadata: { name }, data: 'x'.repeat(size) });
    const object = { text, uid: name, labels: undefined, fields: undefined, owners: undefined };
    store.create(`ns/${name}`, object, false);
  };
  const watch = (resourceVersion = ''): Watcher => {
    const watcher = new Watcher();
    store.watch(watcher, { prefix: '', resourceVersion, kind: 'ConfigMap', apiVersion: 'v1' });
    return watcher;
  };
  const pass = (): void => {
    for (const run of due.splice(0)) run();
  };
  return { store, crowd, create, watch, pass, due };
}

describe('where many write at once', () => {
  it('events go out together, in their order', () => {
    const { create, watch, pass, due } = crowded();
    const watcher = watch('1');
    for (const name of ['a', 'b', 'c']) create(name);
    expect([watcher.messages, due.length]).toEqual([[], 1]);
    pass();
    create('d');
    pass();
    expect(watcher.messages).toEqual(['a b c', 'd']);
  });

  it('one that comes alone again takes along those that wait', () => {
    const { crowd, create, watch, pass } = crowded();
    const watcher = watch('1');
    create('a');
    crowd.is = false;
    create('b');
    expect(watcher.messages).toEqual(['a b']);
    pass();
    expect(watcher.messages).toEqual(['a b']);
  });

  it('who comes meanwhile sees nothing twice', () => {
    const { create, watch, pass } = crowded();
    const first = watch('1');
    create('a');
    const second = watch('0');
    const third = watch('1');
    create('b');
    pass();
    expect(first.messages).toEqual(['a', 'b']);
    expect(second.messages).toEqual(['a', 'b']);
    expect(third.messages).toEqual(['a', 'b']);
  });

  it('a message stays a message', () => {
    const { create, watch, pass } = crowded();
    const watcher = watch('1');
    for (const name of ['a', 'b', 'c']) create(name, 600_000);
    pass();
    expect(watcher.messages).toEqual(['a b', 'c']);
  });

  it('those that end get what has happened before', () => {
    const { store, create, watch, pass } = crowded();
    const watcher = watch('1');
    create('a');
    store.hub.end();
    create('b');
    pass();
    expect([watcher.messages, watcher.isOpen, store.hub.size]).toEqual([['a'], false, 0]);
  });
});
