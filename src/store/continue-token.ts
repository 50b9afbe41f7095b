/** Continue tokens: where a page ended, and at which resourceVersion. Opaque to clients. */
import { badRequest } from '../apimachinery/errors.ts';

export interface ContinueToken {
  /** 0: the newest state, for lists that go on after their version was compacted. */
  resourceVersion: number;
  /** The first key of the next page is above this one. */
  after: string;
}

/** As upstream: URL-safe base64 of JSON with a version. */
export function encodeContinue({ resourceVersion, after }: ContinueToken): string {
  const bytes = new TextEncoder().encode(
    JSON.stringify({ v: 'meta.k8s.io/v1', rv: resourceVersion, start: `${after}\u0000` }),
  );
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** Throws BadRequest for what this server has not made. */
export function decodeContinue(text: string): ContinueToken {
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
    const json = new TextDecoder().decode(Uint8Array.from(binary, (c) => c.charCodeAt(0)));
    const { v, rv, start } = JSON.parse(json) as { v?: unknown; rv?: unknown; start?: unknown };
    if (v === 'meta.k8s.io/v1' && typeof rv === 'number' && Number.isSafeInteger(rv) && typeof start === 'string') {
      return { resourceVersion: rv, after: start.replace(/\0$/, '') };
    }
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid');
}
