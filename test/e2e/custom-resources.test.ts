/** Custom resources as operators and their users meet them, with the real kubectl. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { BenchClient } from '../bench/client.ts';
import { client } from '../support/https.ts';
import { eventually, hasKubectl, kubectl, must } from './support.ts';

const DEFINITION = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.demo.example.com}
spec:
  group: demo.example.com
  scope: Namespaced
  names: {plural: widgets, singular: widget, kind: Widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.size}
    - {name: Ready, type: string, jsonPath: '.status.conditions[?(@.type=="Ready")].status'}
    selectableFields: [{jsonPath: .spec.color}]
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, description: How big it is.}
              color: {type: string, default: red, enum: [red, blue]}
              replicas: {type: integer, default: 1}
          status: {type: object, x-kubernetes-preserve-unknown-fields: true}
  - name: v1beta1
    served: true
    storage: false
    deprecated: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
`;

/** Objects that a definition takes along. */
const MANY = 5000;

const widget = (name: string, spec: string, version = 'v1'): string => `
apiVersion: demo.example.com/${version}
kind: Widget
metadata: {name: ${name}}
spec: ${spec}
`;

describe.skipIf(!hasKubectl && process.env['CI'] !== 'true')('custom resources', () => {
  let plane: ControlPlane;
  const run = (...args: string[]): Promise<string> => must(plane, args);
  const apply = (text: string, ...args: string[]): Promise<string> => must(plane, ['apply', '-f', '-', ...args], text);
  const refused = async (text: string, ...args: string[]): Promise<string> =>
    (await kubectl(plane, ['apply', '-f', '-', ...args], text)).stderr;

  beforeAll(async () => {
    plane = await startControlPlane({ nodes: 'none' });
    await apply(DEFINITION);
    await run('wait', '--for=condition=Established', 'crd/widgets.demo.example.com', '--timeout=90s');
    await eventually('the type is served', async () => (await kubectl(plane, ['get', 'widgets'])).code === 0);
  });
  afterAll(() => plane?.stop());

  it('are discovered and explained', async () => {
    expect(await run('api-resources', '--api-group=demo.example.com')).toMatch(
      /widgets\s+wd\s+demo\.example\.com\/v1\s+true\s+Widget/,
    );
    expect(await run('explain', 'widget.spec.size')).toContain('How big it is.');
  });

  it('are defaulted, pruned and printed in their columns', async () => {
    await apply(widget('a', '{size: 3, junk: true}'), '--validate=false');
    expect(await run('get', 'wd', 'a', '-o', 'jsonpath={.spec}')).toBe('{"color":"red","replicas":1,"size":3}');
    await run(
      'patch',
      'wd',
      'a',
      '--subresource=status',
      '--type=merge',
      '-p',
      '{"status":{"conditions":[{"type":"Ready","status":"True"}]}}',
    );
    expect(await run('get', 'wd', 'a')).toMatch(/NAME\s+SIZE\s+READY\na\s+3\s+True/);
    expect(await run('get', 'all')).toContain('widget.demo.example.com/a');
  });

  it('are refused with the words of the API server when their schema does not allow them', async () => {
    expect(await refused(widget('bad', '{size: 0}'))).toContain(
      'spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    );
    expect(await refused(widget('bad', '{size: 1, color: green}'))).toContain(
      'spec.color: Unsupported value: "green": supported values: "red", "blue"',
    );
    expect(await refused(widget('bad', '{size: 1, junk: 1}'))).toContain('unknown field "spec.junk"');
    expect((await kubectl(plane, ['get', 'wd', 'bad'])).stderr).toContain('widgets.demo.example.com "bad" not found');
  });

  it('are scaled, selected by fields, applied by the server and watched', async () => {
    await apply(widget('b', '{size: 1, color: blue}'), '--server-side');
    await run('scale', 'widget/b', '--replicas=4');
    expect(await run('get', 'wd', 'b', '-o', 'jsonpath={.spec.replicas} {.metadata.generation}')).toBe('4 2');
    expect(await run('get', 'wd', '--field-selector=spec.color=blue', '-o', 'name')).toBe(
      'widget.demo.example.com/b\n',
    );
    await run('wait', '--for=jsonpath={.spec.replicas}=4', 'widget/b', '--timeout=90s');
  });

  it('are served in every version, and warn of the old one', async () => {
    await apply(widget('c', '{size: 7}'));
    const { stdout, stderr } = await kubectl(plane, [
      'get',
      'widgets.v1beta1.demo.example.com',
      'c',
      '-o',
      'jsonpath={.apiVersion} {.spec.size}',
    ]);
    expect(stdout).toBe('demo.example.com/v1beta1 7');
    expect(stderr).toContain('demo.example.com/v1beta1 Widget is deprecated');
  });

  it('own what goes with them, and go with their namespace', async () => {
    await apply(widget('owner', '{size: 1}'));
    const uid = await run('get', 'wd', 'owner', '-o', 'jsonpath={.metadata.uid}');
    await apply(
      `
apiVersion: v1
kind: ConfigMap
metadata:
  name: owned
  ownerReferences: [{apiVersion: demo.example.com/v1, kind: Widget, name: owner, uid: ${uid}}]
`,
    );
    await run('delete', 'widget', 'owner');
    await run('wait', '--for=delete', 'configmap/owned', '--timeout=90s');
    await run('create', 'namespace', 'full');
    await apply(widget('inside', '{size: 1}'), '-n', 'full');
    await run('delete', 'namespace', 'full', '--timeout=90s');
    expect(await run('get', 'wd', '-A', '-o', 'name')).not.toContain('inside');
  });

  it('go with their definition, and are new with the next', async () => {
    await apply(widget('last', '{size: 1}'));
    const watcher = new BenchClient(plane, 1);
    const types: string[] = [];
    const path = '/apis/demo.example.com/v1/namespaces/default/widgets?watch=1&fieldSelector=metadata.name%3Dlast';
    const onLine = (line: string): number => types.push((JSON.parse(line) as { type: string }).type);
    const watched = new Promise<void>((resolve) => void watcher.watch(path, onLine, resolve));
    await run('delete', 'crd', 'widgets.demo.example.com', '--timeout=90s');
    await watched;
    watcher.close();
    expect(types.at(-1)).toBe('DELETED');
    await expect
      .poll(async () => (await kubectl(plane, ['get', 'widgets'])).stderr)
      .toMatch(/the server (?:doesn't have|could not find)/);
    await apply(DEFINITION);
    await eventually('the type is served again', async () => (await kubectl(plane, ['get', 'widgets'])).code === 0);
    expect((await kubectl(plane, ['get', 'widgets'])).stderr).toContain('No resources found');
  });

  it('go with their definition, be they many, and their watchers are told of each', async () => {
    const send = client(plane);
    const path = '/apis/demo.example.com/v1/namespaces/default/widgets';
    const { body } = await send({ path });
    const create = async (index: number): Promise<void> => {
      const metadata = { name: `many-${index}` };
      const { status, text } = await send({
        method: 'POST',
        path,
        body: { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata, spec: { size: 1 } },
      });
      if (status !== 201) throw new Error(text);
    };
    for (let made = 0; made < MANY; made += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, index) => create(made + index)));
    }
    const watcher = new BenchClient(plane, 1);
    let deleted = 0;
    const close = await watcher.watch(`${path}?watch=1&resourceVersion=${body.metadata?.resourceVersion}`, (line) => {
      // What keeps the watch alive is a space before an event.
      if (line.trimStart().startsWith('{"type":"DELETED"')) deleted++;
    });
    await run('delete', 'crd', 'widgets.demo.example.com', '--timeout=140s');
    await expect.poll(async () => (await send({ path })).status).toBe(404);
    await expect.poll(() => deleted, { timeout: 120_000 }).toBe(MANY);
    close();
    watcher.close();
  });
});
