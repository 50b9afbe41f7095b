/** The three patches that change an object without owning its fields; server-side apply is elsewhere. */
export { jsonPatch, TestFailed } from './json.ts';
export { mergePatch } from './merge.ts';
export { strategicMergePatch } from './strategic.ts';
