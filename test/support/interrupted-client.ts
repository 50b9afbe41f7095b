/** For tests of what survives: a client all of whose writes are done, and yet fail, as if who made them were lost right after. */
import type { Client } from '../../src/apimachinery/client.ts';

/** Events are left alone: they are nobody's state. */
export function interrupted(client: Client): Client {
  const lost = async <T>(resource: string, write: Promise<T>): Promise<T> => {
    const answer = await write;
    if (resource !== 'core/events') throw new Error('interrupted');
    return answer;
  };
  return {
    get: client.get.bind(client),
    list: client.list.bind(client),
    create: (resource, ...rest) => lost(resource, client.create(resource, ...rest)),
    update: (resource, ...rest) => lost(resource, client.update(resource, ...rest)),
    patch: (resource, ...rest) => lost(resource, client.patch(resource, ...rest)),
    delete: (resource, ...rest) => lost(resource, client.delete(resource, ...rest)),
  };
}
