/** What a cluster's API serves: groups in upstream's order, each with its versions. */
import { resources } from '../resources/index.ts';
import type { Resource } from '../resources/resource.ts';
import { type CustomResources, compareVersions } from './custom-resources.ts';
import type { Snapshot } from './snapshot.ts';

export interface Group {
  name: string;
  /** Preferred first. */
  versions: string[];
}

/** Resources that are served here, and all groups, those of Services inside the cluster too. */
export interface Catalogue {
  resources: readonly Resource[];
  groups: readonly Group[];
}

/** Of what CustomResourceDefinitions bring, upstream's `crdRegistrationController` says so. */
const CUSTOM_GROUP_PRIORITY = 1000;
const CUSTOM_VERSION_PRIORITY = 100;

function groupsOf(all: readonly Resource[]): Group[] {
  const found = new Map<string, string[]>();
  for (const { group, version } of all) {
    const versions = found.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    found.set(group, versions);
  }
  return [...found].map(([name, versions]) => ({ name, versions }));
}

const builtIn: Catalogue = { resources, groups: groupsOf(resources) };
const builtInNames: ReadonlySet<string> = new Set(builtIn.groups.map(({ name }) => name));
/** By a part of the snapshot: a snapshot is never changed. */
const catalogues = new WeakMap<CustomResources, Catalogue>();

/** Whether there is a built-in API group of the name, in whatever version. */
export const isGroup = (name: string): boolean => name !== '' && builtInNames.has(name);

/** The catalogue of a cluster, made once for each snapshot. */
export function catalogueOf(snapshot: Pick<Snapshot, 'custom' | 'remote'>): Catalogue {
  const { custom, remote } = snapshot;
  if (custom.resources.length === 0 && remote.all.length === 0) return builtIn;
  let known = catalogues.get(custom);
  if (known === undefined) {
    const all = custom.resources.length === 0 ? resources : [...resources, ...custom.resources];
    const local = custom.resources.length === 0 ? builtIn.groups : groupsOf(all);
    known = { resources: all, groups: remote.all.length === 0 ? local : withRemote(local, snapshot) };
    catalogues.set(custom, known);
  }
  return known;
}

/** Groups by their priority, after upstream's `SortedByGroupAndVersion`; built-in ones stay where they are. */
function withRemote(local: readonly Group[], { remote }: Pick<Snapshot, 'remote'>): Group[] {
  const groups = new Map(local.map(({ name, versions }) => [name, [...versions]]));
  const priorities = new Map<string, number>();
  for (const { group, version, groupPriority } of remote.all) {
    const versions = groups.get(group) ?? [];
    if (!versions.includes(version)) versions.push(version);
    groups.set(group, versions);
    priorities.set(group, Math.max(groupPriority, priorities.get(group) ?? 0));
  }
  const ofVersion = (group: string, version: string): number =>
    remote.find(group, version)?.versionPriority ?? CUSTOM_VERSION_PRIORITY;
  const made = [...groups].map(([name, versions]) => ({
    name,
    versions: versions.sort((a, b) => ofVersion(name, b) - ofVersion(name, a) || compareVersions(b, a)),
  }));
  const ofGroup = (name: string): number =>
    Math.max(priorities.get(name) ?? 0, local.some((group) => group.name === name) ? CUSTOM_GROUP_PRIORITY : 0);
  const others = made.filter(({ name }) => !builtInNames.has(name));
  others.sort((a, b) => ofGroup(b.name) - ofGroup(a.name) || (a.name < b.name ? -1 : 1));
  return [...made.filter(({ name }) => builtInNames.has(name)), ...others];
}
