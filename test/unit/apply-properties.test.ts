/** What holds of every server-side apply, whoever has applied what before. */
import { describe, expect, it } from 'vitest';
import { decideChange } from '../../src/api/registry/change.ts';
import { beforeCreate, fillSystemFields } from '../../src/api/registry/create.ts';
import { encode } from '../../src/api/registry/encode.ts';
import { applyTo } from '../../src/api/registry/managed-fields.ts';
import { nameOf } from '../../src/api/registry/resource-name.ts';
import type { Json, JsonObject, KubeObject } from '../../src/apimachinery/meta.ts';
import { findResource } from '../../src/resources/index.ts';
import type { Resource } from '../../src/resources/resource.ts';
import { withResourceVersion } from '../../src/store/text.ts';
import type { Outcome } from '../../src/store/types.ts';
import { Chance } from '../support/random.ts';

const STORIES = 40;
const STEPS = 12;
const MANAGERS = ['one', 'two', 'three'];
const KEYS = ['a', 'b', 'c', 'd'];
const VALUES = ['1', '2', '3'];

type Owned = Record<string, object>;
type Path = string[];

/** Never none: Go leaves out what is empty, and its owner owns nothing. */
function few<T>(chance: Chance, values: readonly T[]): T[] {
  const found = chance.some(values);
  return found.length === 0 ? [chance.pick(values)] : found;
}
const some = (chance: Chance): JsonObject =>
  Object.fromEntries(few(chance, KEYS).map((key) => [key, chance.pick(VALUES)]));
const optional = (chance: Chance, name: string, make: () => Json): JsonObject =>
  chance.happens(0.6) ? { [name]: make() } : {};

/** What managers apply: only fields that nothing sets by itself, so that what is dropped is gone. */
const CONFIGS: Record<
  string,
  { resource: [string, string, string]; base: JsonObject; more(chance: Chance): JsonObject }
> = {
  ConfigMap: {
    resource: ['', 'v1', 'configmaps'],
    base: {},
    more: (chance) => ({ ...optional(chance, 'data', () => some(chance)) }),
  },
  Deployment: {
    resource: ['apps', 'v1', 'deployments'],
    base: {
      selector: { matchLabels: { app: 'x' } },
      template: { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'main', image: 'i' }] } },
    },
    more: (chance) => ({
      spec: {
        template: {
          metadata: { annotations: some(chance) },
          spec: {
            ...optional(chance, 'nodeSelector', () => some(chance)),
            ...optional(chance, 'tolerations', () => few(chance, KEYS).map((key) => ({ key, operator: 'Exists' }))),
            ...optional(chance, 'hostAliases', () =>
              few(chance, KEYS).map((_, i) => ({ ip: `10.0.0.${i}`, hostnames: ['h'] })),
            ),
            containers: [
              {
                name: 'main',
                ...optional(chance, 'command', () => few(chance, VALUES)),
                env: few(chance, KEYS).map((name) => ({ name, value: chance.pick(VALUES) })),
                ports: chance
                  .some([80, 81, 82])
                  .map((containerPort) => ({ containerPort, protocol: 'TCP', name: `p${containerPort}` })),
              },
            ],
          },
        },
      },
    }),
  },
};

/** One object as a store keeps it. */
class Live {
  readonly resource: Resource;
  private text: string;
  private version = 1;

  constructor(kind: string) {
    const {
      resource: [group, version, plural],
      base,
    } = CONFIGS[kind] as (typeof CONFIGS)[string];
    this.resource = findResource(group, version, plural) as Resource;
    const spec = kind === 'ConfigMap' ? base : { spec: base };
    const object = applyTo(this.resource, undefined, undefined, this.config(spec), OPTIONS('base'));
    object.metadata.namespace = 'default';
    this.resource.strategy.default?.(object);
    fillSystemFields(object);
    beforeCreate(this.resource, object);
    this.text = withResourceVersion(encode(this.resource, object).text, 1);
  }

  config(parts: JsonObject): JsonObject {
    const { group, version, kind } = this.resource;
    const metadata = { name: 'x', ...((parts['metadata'] as JsonObject | undefined) ?? {}) };
    return { ...parts, apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata };
  }

  get object(): KubeObject {
    return JSON.parse(this.text) as KubeObject;
  }

  patch(type: 'apply' | 'merge', body: JsonObject, manager: string, force = false): Outcome {
    const options = { ...OPTIONS(manager), force };
    const request = {
      do: 'patch',
      resource: nameOf(this.resource),
      type,
      body: JSON.stringify(body),
      options,
    } as const;
    const row = {
      ...encode(this.resource, this.object),
      key: 'default/x',
      text: this.text,
      resourceVersion: this.version,
    };
    const outcome = decideChange(request, 'default/x')(row, this.version);
    if (outcome.do === 'write') this.text = withResourceVersion(outcome.object.text, ++this.version);
    return outcome;
  }

  /** Whose fields are whose. */
  owned(): Map<string, Path[]> {
    const entries = this.object.metadata.managedFields ?? [];
    return new Map(
      entries.map(({ manager, operation, fieldsV1 }) => [`${manager} ${operation}`, leaves(fieldsV1 as Owned)]),
    );
  }
}

const OPTIONS = (fieldManager: string) => ({ fieldManager, dryRun: false, fieldValidation: 'Strict' }) as const;

function leaves(fields: Owned): Path[] {
  return Object.entries(fields).flatMap(([step, below]) => {
    if (step === '.') return [[step]];
    const deeper = leaves(below as Owned);
    return deeper.length === 0 ? [[step]] : deeper.map((path) => [step, ...path]);
  });
}

/** What stands at a path of `fieldsV1`. */
function at(value: Json | undefined, [step, ...rest]: Path): Json | undefined {
  if (step === undefined || step === '.' || value === undefined || value === null) return value;
  const name = step.slice(2);
  if (step.startsWith('f:')) return at((value as JsonObject)[name], rest);
  const items = value as Json[];
  const wanted = JSON.parse(name) as Json;
  if (step.startsWith('v:')) return items.find((item) => item === wanted);
  const keys = Object.entries(wanted as JsonObject);
  return at(
    items.find((item) => keys.every(([key, is]) => (item as JsonObject)[key] === is)),
    rest,
  );
}

const told = (path: Path): string => path.join(' ');
const json = (live: Live): Json => live.object as unknown as Json;

describe.each(Object.keys(CONFIGS))('%s', (kind) => {
  const { more } = CONFIGS[kind] as (typeof CONFIGS)[string];
  const configOf = (live: Live, chance: Chance): JsonObject => {
    const metadata = {
      ...optional(chance, 'labels', () => some(chance)),
      ...optional(chance, 'finalizers', () => few(chance, ['x.io/a', 'x.io/b'])),
    };
    return live.config({ ...more(chance), metadata });
  };

  /** Tells a story of applies and updates; before and after each, `check` looks at it. */
  function tell(
    check: (step: {
      live: Live;
      before: KubeObject;
      owned: Map<string, Path[]>;
      actor: string;
      outcome: Outcome;
      config: JsonObject;
      what: string;
    }) => void,
  ): void {
    for (let seed = 0; seed < STORIES; seed++) {
      const chance = new Chance(seed);
      const live = new Live(kind);
      for (let i = 0; i < STEPS; i++) {
        const manager = chance.pick(MANAGERS);
        const updates = chance.happens(0.2);
        const [before, owned, config] = [live.object, live.owned(), configOf(live, chance)];
        const { labels } = config['metadata'] as JsonObject;
        const outcome = updates
          ? live.patch('merge', { metadata: { labels: labels ?? {} } }, manager)
          : live.patch('apply', config, manager, chance.happens(0.5));
        const what = `seed ${seed}, step ${i}, ${manager} ${updates ? 'updates' : 'applies'} ${JSON.stringify(config)}`;
        check({ live, before, owned, actor: `${manager} ${updates ? 'Update' : 'Apply'}`, outcome, config, what });
      }
    }
  }

  it('to apply twice changes nothing, not even the version', () => {
    tell(({ live, actor, outcome, config, what }) => {
      if (!actor.endsWith('Apply') || outcome.do === 'fail') return;
      const before = live.object;
      expect(live.patch('apply', config, actor.split(' ')[0] as string).do, what).toBe('answer');
      expect(live.object, what).toEqual(before);
    });
  });

  it('what one manager alone had and no longer applies is gone', () => {
    tell(({ live, owned, actor, outcome, what }) => {
      if (!actor.endsWith('Apply') || outcome.do === 'fail') return;
      const kept = new Set([...live.owned().values()].flat().map(told));
      for (const path of owned.get(actor) ?? []) {
        if (kept.has(told(path)) || path.at(-1) === '.') continue;
        const parents = [...kept].some((other) => other.startsWith(`${told(path)} `));
        if (!parents) expect(at(json(live), path), `${what}: ${told(path)}`).toBeUndefined();
      }
    });
  });

  it('nobody loses a field to another who does not name it', () => {
    tell(({ live, before, owned, actor, config, what }) => {
      const held = [...owned.values()].flat().map(told);
      for (const [other, paths] of owned) {
        if (other === actor) continue;
        for (const path of paths) {
          // That there is a map or an item says nothing of what is in it.
          if (path.at(-1) === '.' || held.some((text) => text.startsWith(`${told(path)} `))) continue;
          if (at(config, path) !== undefined || isWithin(config, path)) continue;
          expect(at(json(live), path), `${what}: ${told(path)} of ${other}`).toEqual(
            at(before as unknown as Json, path),
          );
        }
      }
    });
  });

  it('what is refused for a conflict has changed nothing, and names who owns it', () => {
    let conflicts = 0;
    tell(({ live, before, outcome, what }) => {
      if (outcome.do !== 'fail') return;
      conflicts++;
      expect(outcome.status, what).toMatchObject({ code: 409, reason: 'Conflict' });
      expect(outcome.status.message, what).toMatch(/^Apply failed with \d+ conflicts?: conflicts? with "/);
      expect(live.object, what).toEqual(before);
    });
    expect(conflicts).toBeGreaterThan(STORIES / 4);
  });

  it('whoever owns a field owns one that is there', () => {
    tell(({ live, what }) => {
      for (const [owner, paths] of live.owned()) {
        for (const path of paths) expect(at(json(live), path), `${what}: ${told(path)} of ${owner}`).toBeDefined();
      }
    });
  });
});

/** Whether a list that is one value to the field manager was given as a whole above the path. */
function isWithin(config: JsonObject, path: Path): boolean {
  return path.some((_, i) => Array.isArray(at(config, path.slice(0, i))) && !/^[kv]:/.test(path[i] ?? ''));
}
