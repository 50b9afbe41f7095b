/** Between `events.k8s.io/v1` and the core events that are kept: the same event under other names of its fields. */
import type { KubeObject } from '../../apimachinery/meta.ts';
import type { Resource } from '../resource.ts';

/** Core's name of a field -> that of `events.k8s.io`. */
const NAMES: readonly [core: string, events: string][] = [
  ['involvedObject', 'regarding'],
  ['message', 'note'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const toEvents = new Map(NAMES);
const toCore = new Map(NAMES.map(([core, events]) => [events, core]));

function renamed(object: KubeObject, apiVersion: string, names: ReadonlyMap<string, string>): KubeObject {
  const entries = Object.entries(object).map(([name, value]) => [names.get(name) ?? name, value]);
  return { ...(Object.fromEntries(entries) as KubeObject), apiVersion };
}

/** Of the resource `events.k8s.io/v1 events`. */
export const eventConversion: NonNullable<Resource['conversion']> = {
  fromStored: (object) => renamed(object, 'events.k8s.io/v1', toEvents),
  toStored: (object) => renamed(object, 'v1', toCore),
};
