/**
 * Conversions by a webhook, for code that cannot wait for one: what it needs is asked for ahead of it. Whoever runs such code runs it
 * again once he has what it lacked.
 */
import type { KubeObject } from '../../apimachinery/meta.ts';

/** What is needed has not been asked for: the object in this apiVersion. */
export class NotConverted extends Error {
  readonly object: KubeObject;
  readonly apiVersion: string;

  constructor(object: KubeObject, apiVersion: string) {
    super(`${object.kind} has not been converted to ${apiVersion}`);
    this.object = object;
    this.apiVersion = apiVersion;
  }
}

let current: Ahead | undefined;

/** The conversions of one piece of work. */
export class Ahead {
  private readonly known = new Map<string, string>();

  add(object: KubeObject, apiVersion: string, converted: KubeObject): void {
    this.known.set(keyOf(object, apiVersion), JSON.stringify(converted));
  }

  find(object: KubeObject, apiVersion: string): KubeObject | undefined {
    const text = this.known.get(keyOf(object, apiVersion));
    return text === undefined ? undefined : (JSON.parse(text) as KubeObject);
  }

  /** Runs what may convert. Throws NotConverted for what is lacking, and what the work throws. */
  run<T>(work: () => T): T {
    const outer = current;
    current = this;
    try {
      return work();
    } finally {
      current = outer;
    }
  }
}

const keyOf = (object: KubeObject, apiVersion: string): string => `${apiVersion} ${JSON.stringify(object)}`;

/** The object as the webhook converted it; one that is of the version already, as it is. Throws NotConverted. */
export function convertedAhead(object: KubeObject, apiVersion: string): KubeObject {
  if (object.apiVersion === apiVersion) return object;
  const found = current?.find(object, apiVersion);
  if (found === undefined) throw new NotConverted(object, apiVersion);
  return found;
}
