/** Server-side apply and managedFields against recordings of a real API server, where those are at hand. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decideChange } from '../../src/api/registry/change.ts';
import { encodeStored } from '../../src/api/registry/encode.ts';
import { applyTo } from '../../src/api/registry/managed-fields.ts';
import { nameOf } from '../../src/api/registry/resource-name.ts';
import type { PatchType } from '../../src/apimachinery/client.ts';
import { StatusError } from '../../src/apimachinery/errors.ts';
import type { Json, KubeObject, ManagedFieldsEntry, Status } from '../../src/apimachinery/meta.ts';
import type { ChangeRequest, RequestOptions } from '../../src/durable-objects/rpc.ts';
import { findResource } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';

const RECORDINGS =
  process.env['ZEROPLANE_RECORDINGS'] ?? new URL('../../../shared/fixtures/recorded', import.meta.url).pathname;
const folder = join(RECORDINGS, 'scenarios');
const files = existsSync(folder) ? readdirSync(folder).filter((name) => /^apply-.*\.json$/.test(name)) : [];
if (files.length === 0) console.warn(`SKIPPED: no recordings of server-side apply in ${folder}`);

interface Step {
  request: { method: string; path: string; headers?: Record<string, string>; body?: unknown };
  response: { status: number; body: KubeObject | Status };
}

const TYPES: Record<string, PatchType> = {
  'application/apply-patch+yaml': 'apply',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/json-patch+json': 'json',
};
const PATH = /^\/(?:api\/(v1)|apis\/([^/]+)\/([^/]+))\/namespaces\/[^/]+\/([a-z]+)\/([^/?]+)(?:\/(\w+))?(?:\?(.*))?$/;

interface Target {
  resource: Resource;
  name: string;
  subresource: string;
  options: RequestOptions;
}

function targetOf(path: string): Target | undefined {
  const match = PATH.exec(path);
  if (match === null) return undefined;
  const [, core, group = '', version = '', plural = '', name = '', subresource = '', query = ''] = match;
  const resource = findResource(group, core ?? version, plural);
  if (resource === undefined) return undefined;
  const q = new URLSearchParams(query);
  const options: RequestOptions = {
    dryRun: q.has('dryRun'),
    fieldManager: q.get('fieldManager') ?? 'replay',
    fieldValidation: 'Ignore',
    ...(q.has('force') ? { force: q.get('force') !== 'false' } : {}),
  };
  return { resource, name, subresource, options };
}

/** Values that differ from run to run stand as placeholders in the recordings, of which some are no such values. */
const filled = (object: unknown): string =>
  JSON.stringify(object)
    .replaceAll('"<time>"', '"2026-01-01T00:00:00Z"')
    .replaceAll(/<ip:(\d+)>/g, '10.96.0.1$1')
    .replaceAll(/"<port:(\d)>"/g, '3000$1');

const bare = (entries: ManagedFieldsEntry[] | undefined): unknown =>
  entries?.map(({ time, ...entry }) => ({ ...entry, timed: time !== undefined })).sort(byText);
const byText = (a: unknown, b: unknown): number => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

/** What we make of a step: the managedFields after it, or why it fails. */
function outcome(target: Target, step: Step, live: KubeObject | undefined): unknown {
  const { resource, name, subresource, options } = target;
  const { method, headers = {} } = step.request;
  const type = TYPES[headers['content-type'] ?? ''];
  const body = typeof step.request.body === 'string' ? step.request.body : filled(step.request.body);
  if (live === undefined) {
    return bare(applyTo(resource, undefined, undefined, JSON.parse(body) as Json, options).metadata.managedFields);
  }
  const common = { resource: nameOf(resource), ...(subresource === '' ? {} : { subresource }), body, options };
  const request: ChangeRequest =
    method === 'PUT' ? { do: 'update', ...common } : { do: 'patch', type: type as PatchType, ...common };
  const row = {
    ...encodeStored(resource, JSON.parse(filled(live)) as KubeObject),
    key: `n/${name}`,
    resourceVersion: 1,
  };
  const result = decideChange(request, `n/${name}`)({ ...row, text: filled(live) }, 2);
  if (result.do === 'fail') return result.status.message;
  const text = result.do === 'write' ? result.object.text : result.do === 'answer' ? result.text : '{"metadata":{}}';
  return bare((JSON.parse(text) as KubeObject).metadata.managedFields);
}

function expected({ response }: Step): unknown {
  if (response.status >= 400) return (response.body as Status).message;
  return bare((response.body as KubeObject).metadata.managedFields);
}

/** Every step on an object, with the object as the recording has it before. */
function* stepsOf(steps: readonly Step[]): Generator<{ step: Step; target: Target; live: KubeObject | undefined }> {
  const objects = new Map<string, KubeObject>();
  for (const step of steps) {
    const { method, path } = step.request;
    if (method === 'POST' && step.response.status === 201) {
      const { metadata } = step.response.body as KubeObject;
      objects.set(`${path.replace(/\?.*/, '').split('/').at(-1)}/${metadata.name}`, step.response.body as KubeObject);
      continue;
    }
    const target = targetOf(path);
    if (target === undefined) continue;
    const key = `${target.resource.resource}/${target.name}`;
    const skipped = typeof step.request.body === 'string' || step.response.status === 422;
    if (['PUT', 'PATCH'].includes(method) && target.subresource !== 'scale' && !skipped) {
      yield { step, target, live: objects.get(key) };
    }
    if (target.subresource === 'scale') objects.delete(key);
    else if (step.response.status < 300 && !target.options.dryRun) objects.set(key, step.response.body as KubeObject);
  }
}

describe.skipIf(files.length === 0)('server-side apply agrees with recordings', () => {
  it.each(files)('%s', (file) => {
    const { steps } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { steps: Step[] };
    let checked = 0;
    for (const { step, target, live } of stepsOf(steps)) {
      const known = live !== undefined || step.response.status === 201;
      if (!known) continue;
      let ours: unknown;
      try {
        ours = outcome(target, step, live);
      } catch (error) {
        if (!(error instanceof StatusError)) throw error;
        ours = error.status.message;
      }
      expect(ours, `${step.request.method} ${step.request.path} ${JSON.stringify(step.request.body)}`).toEqual(
        expected(step),
      );
      checked++;
    }
    expect(checked).toBeGreaterThan(0);
  });
});
