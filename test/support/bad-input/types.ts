/** A request that a server must refuse, and how. */
import type { Sent } from '../https.ts';

/** What cases need of the server that they are sent to. */
export interface Scene {
  /** Of the ConfigMap `here` in the namespace `bad`. */
  resourceVersion: string;
  uid: string;
  token: string;
  /** A continue token of a list of the namespace's ConfigMaps. */
  next: string;
}

export interface BadInput {
  name: string;
  send: Sent | ((scene: Scene) => Sent);
  /** The answer's status; `reason` is left out where upstream leaves it out. */
  status: number;
  reason?: string;
  /** The whole message, or what it must say. */
  message?: string | RegExp;
  /** The fields that its causes name. */
  fields?: string[];
}

export const CONFIG_MAPS = '/api/v1/namespaces/bad/configmaps';
export const HERE = `${CONFIG_MAPS}/here`;

export const configMap = (metadata: object = { name: 'new' }, rest: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  ...rest,
});

export const post = (body: string | Uint8Array | object, type?: string, path = CONFIG_MAPS): Sent => ({
  method: 'POST',
  path,
  body,
  ...(type === undefined ? {} : { headers: { 'content-type': type } }),
});
