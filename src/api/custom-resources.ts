/** The custom resources of a cluster, as its snapshot knows them. */
import type { CustomResourceDefinition } from '../generated/types/apiextensions.v1.ts';
import { customResources, isEstablished } from '../resources/custom/resource.ts';
import type { Resource } from '../resources/resource.ts';

interface Served {
  definition: CustomResourceDefinition;
  /** Without schemas: enough to find it and to say that it is there. */
  resource: Resource;
}

/** An index over definitions that are without their schemas. */
export class CustomResources {
  /** By group, version and plural. */
  private readonly served = new Map<string, Served>();
  private readonly versions = new Set<string>();
  /** In the order of groups and, within one, of preference. */
  readonly resources: readonly Resource[];

  constructor(definitions: readonly CustomResourceDefinition[]) {
    const found: Resource[] = [];
    for (const definition of definitions) {
      if (!isEstablished(definition)) continue;
      const resources = customResources(definition);
      for (const { name = '', served } of definition.spec?.versions ?? []) {
        const resource = resources.get(name);
        if (served !== true || resource === undefined) continue;
        this.served.set(`${resource.group}/${name}/${resource.resource}`, { definition, resource });
        this.versions.add(`${resource.group}/${name}`);
        found.push(resource);
      }
    }
    this.resources = found.sort(byPreference);
  }

  /** Whether some definition serves the group-version. */
  serves(group: string, version: string): boolean {
    return this.versions.has(`${group}/${version}`);
  }

  /** Whether some definition serves any version of the group. */
  hasGroup(name: string): boolean {
    return this.resources.some(({ group }) => group === name);
  }

  /** The definition that serves what a request names. */
  find(group: string, version: string, plural: string): CustomResourceDefinition | undefined {
    return this.served.get(`${group}/${version}/${plural}`)?.definition;
  }
}

/** `v2` before `v1` before `v1beta1` before anything else, after upstream's `version.CompareKubeAwareVersionStrings`. */
function byPreference(a: Resource, b: Resource): number {
  if (a.group !== b.group) return a.group < b.group ? -1 : 1;
  if (a.version !== b.version) return compareVersions(b.version, a.version);
  return a.resource < b.resource ? -1 : 1;
}

const STAGES = ['alpha', 'beta', ''];

/** Which of two versions is the better one, positive for the first (`version.CompareKubeAwareVersionStrings`). */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version));
  if (left === null || right === null || left === undefined || right === undefined) {
    if ((left ?? null) !== null) return 1;
    if ((right ?? null) !== null) return -1;
    return a < b ? 1 : a > b ? -1 : 0;
  }
  const rank = ([, major = '0', stage = '', minor = '0']: RegExpExecArray): number[] => [
    STAGES.indexOf(stage),
    Number(major),
    Number(minor),
  ];
  const [x, y] = [rank(left), rank(right)];
  const differs = x.findIndex((value, i) => value !== y[i]);
  return differs < 0 ? 0 : (x[differs] as number) - (y[differs] as number);
}
