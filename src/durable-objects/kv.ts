/** The key-value part of a Durable Object's storage, as far as it is used by what runs in plain Node, too. */
export interface Kv {
  get<T>(key: string): T | undefined;
  put(key: string, value: unknown): void;
}
