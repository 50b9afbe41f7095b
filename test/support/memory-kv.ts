import type { Kv } from '../../src/durable-objects/kv.ts';

/** A Durable Object's key-value storage in memory: what is read and written are copies, as there. */
export function memoryKv(): Kv {
  const kept = new Map<string, unknown>();
  return {
    get: <T>(key: string) => structuredClone(kept.get(key)) as T | undefined,
    put: (key, value) => void kept.set(key, structuredClone(value)),
  };
}
