/** Changes as stores tell of them, and how a batch of them is looked at. */

import type { Client } from '../apimachinery/client.ts';
import { customKindsOf } from './stores.ts';

/** A change as a store tells of it; `previous` is the text of what the key held before. */
export interface ChangeNotice {
  key: string;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  resourceVersion: number;
  previous?: string;
}

export interface StoreChanges {
  notices: ChangeNotice[];
  resourceVersion: number;
  expired: boolean;
}

/** A client that answers the same question once: for one batch, all of whose changes came before the first question. */
export function readOnce(client: Client): Client {
  const answers = new Map<string, Promise<unknown>>();
  const once = <T>(question: unknown[], ask: () => Promise<T>): Promise<T> => {
    const key = JSON.stringify(question);
    const answer = answers.get(key) ?? ask();
    answers.set(key, answer);
    return answer as Promise<T>;
  };
  return {
    get: (resource, namespace, name) => once([resource, namespace, name], () => client.get(resource, namespace, name)),
    list: (resource, options) => once([resource, options], () => client.list(resource, options)),
    create: (...request) => client.create(...request),
    update: (...request) => client.update(...request),
    patch: (...request) => client.patch(...request),
    delete: (...request) => client.delete(...request),
    customKinds: () => once(['custom kinds'], () => customKindsOf(client)),
  };
}

/** One change for each key: the last type, with the earliest previous state. A deleted and recreated key stays two. */
export function merge(notices: readonly ChangeNotice[]): ChangeNotice[] {
  const merged: ChangeNotice[] = [];
  const open = new Map<string, ChangeNotice>();
  for (const notice of notices) {
    const before = open.get(notice.key);
    if (before === undefined || before.type === 'DELETED' || notice.type === 'DELETED') {
      const copy = { ...notice };
      merged.push(copy);
      open.set(notice.key, copy);
    } else {
      before.resourceVersion = notice.resourceVersion;
    }
  }
  return merged;
}
