/** Schedulers as a cluster's owner wants them (`KubeSchedulerConfiguration`, kubescheduler.config.k8s.io/v1). */
import { decodeYaml } from '../apimachinery/codec/yaml.ts';
import { Extender, type ExtenderConfig } from './extender.ts';
import type { Enabled } from './framework/framework.ts';
import type { PluginFactory } from './framework/plugin.ts';
import { defaultPlugins } from './plugins/index.ts';
import { defaultProfile, type Profile, SCHEDULER_NAME } from './profile.ts';

/** The ConfigMap that holds it, and its key there. */
export const CONFIG_MAP = { namespace: 'kube-system', name: 'kube-scheduler', key: 'config.yaml' };

export interface Configuration {
  readonly profiles: readonly Profile[];
  readonly extenders: readonly Extender[];
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
}

interface PluginRef {
  name?: string;
  weight?: number;
}

interface PluginSet {
  enabled?: PluginRef[];
  disabled?: PluginRef[];
}

interface ProfileConfig {
  schedulerName?: string;
  percentageOfNodesToScore?: number;
  plugins?: Record<string, PluginSet | undefined>;
  pluginConfig?: { name?: string; args?: Record<string, unknown> }[];
}

interface Raw {
  apiVersion?: string;
  kind?: string;
  percentageOfNodesToScore?: number;
  podInitialBackoffSeconds?: number;
  podMaxBackoffSeconds?: number;
  profiles?: ProfileConfig[];
  extenders?: ExtenderConfig[];
}

/** Extension points as a profile names them, and the methods of plugins that they are. */
const POINTS: Readonly<Record<string, readonly string[]>> = {
  preEnqueue: ['preEnqueue'],
  queueSort: ['compare'],
  preFilter: ['preFilter', 'addPod', 'removePod'],
  filter: ['filter'],
  postFilter: ['postFilter'],
  preScore: ['preScore'],
  score: ['score', 'normalizeScores'],
  reserve: ['reserve', 'unreserve'],
  permit: ['permit'],
  preBind: ['preBind'],
  bind: ['bind'],
  postBind: ['postBind'],
};
const FIT = 'NodeResourcesFit';
const METHODS = Object.values(POINTS).flat();

/** What runs when nothing is configured. */
export function defaultConfiguration(): Configuration {
  return { profiles: [defaultProfile()], extenders: [] };
}

/** Reads a configuration. Throws an Error that says what is wrong with it. */
export function readConfiguration(text: string): Configuration {
  const raw = decodeYaml(text) as Raw | null;
  if (raw?.kind !== 'KubeSchedulerConfiguration') throw new Error('it is no KubeSchedulerConfiguration');
  if (raw.apiVersion !== 'kubescheduler.config.k8s.io/v1')
    throw new Error(`no kind "${raw.kind}" in version "${raw.apiVersion}"`);
  const extenders = (raw.extenders ?? []).map((config) => new Extender(config));
  const binders = extenders.filter(({ binds }) => binds).length;
  if (binders > 1) throw new Error(`extenders: only one extender can implement bind, found ${binders}`);
  const ignored = extenders.flatMap(({ ignoredResources }) => ignoredResources);
  const given = raw.profiles?.length ? raw.profiles : [{}];
  const profiles = given.map((profile) => readProfile(profile, raw.percentageOfNodesToScore ?? 0, ignored));
  const names = new Set(profiles.map(({ schedulerName }) => schedulerName));
  if (names.size < profiles.length) throw new Error('profiles: two of them have the same schedulerName');
  const initialMs = (raw.podInitialBackoffSeconds ?? 1) * 1000;
  const maxMs = (raw.podMaxBackoffSeconds ?? 10) * 1000;
  if (!(initialMs > 0 && maxMs >= initialMs))
    throw new Error('podMaxBackoffSeconds: must not be below podInitialBackoffSeconds');
  return { profiles, extenders, backoff: { initialMs, maxMs } };
}

function readProfile(
  { schedulerName = SCHEDULER_NAME, percentageOfNodesToScore, plugins = {}, pluginConfig = [] }: ProfileConfig,
  percentage: number,
  ignoredResources: readonly string[],
): Profile {
  const known = new Map(defaultPlugins.map((plugin) => [plugin.name, plugin]));
  const factoryOf = (name: string): PluginFactory => {
    const plugin = known.get(name);
    if (plugin === undefined) throw new Error(`profile "${schedulerName}": there is no plugin "${name}"`);
    return plugin.factory;
  };
  for (const point of Object.keys(plugins)) {
    if (point !== 'multiPoint' && POINTS[point] === undefined)
      throw new Error(`profile "${schedulerName}": there is no extension point "${point}"`);
  }
  const args = new Map(pluginConfig.map(({ name = '', args: given = {} }) => [name, given]));
  for (const name of args.keys()) factoryOf(name);
  if (ignoredResources.length > 0) args.set(FIT, ignoring(args.get(FIT), ignoredResources));

  const enabled = new Map<string, Enabled & { off: Set<string>; weight: number }>();
  const enable = (name: string, weight: number, off: Iterable<string>): void => {
    enabled.set(name, { name, factory: factoryOf(name), weight, args: args.get(name) ?? {}, off: new Set(off) });
  };
  const { multiPoint } = plugins;
  for (const { name, weight = 1 } of defaultPlugins) if (!disables(multiPoint, name)) enable(name, weight, []);
  for (const { name = '', weight } of multiPoint?.enabled ?? []) {
    enable(name, weight || (known.get(name)?.weight ?? 1), []);
  }
  for (const [point, methods] of Object.entries(POINTS)) {
    const set = plugins[point];
    for (const plugin of enabled.values()) {
      if (disables(set, plugin.name)) for (const method of methods) plugin.off.add(method);
    }
    for (const { name = '', weight } of set?.enabled ?? []) {
      if (!enabled.has(name)) enable(name, known.get(name)?.weight ?? 1, METHODS);
      const plugin = enabled.get(name);
      for (const method of methods) plugin?.off.delete(method);
      if (weight && plugin !== undefined) plugin.weight = weight;
    }
  }
  for (const method of ['compare', 'bind']) {
    const binder = method === 'bind' ? 'DefaultBinder' : 'PrioritySort';
    if (enabled.get(binder)?.off.has(method) ?? true)
      throw new Error(`profile "${schedulerName}": ${binder} cannot be left out`);
  }
  return {
    schedulerName,
    plugins: [...enabled.values()],
    percentageOfNodesToScore: percentageOfNodesToScore ?? percentage,
  };
}

/** Arguments of NodeResourcesFit, with more resources that it does not look at. */
function ignoring(args: Record<string, unknown> = {}, more: readonly string[]): Record<string, unknown> {
  const { ignoredResources = [] } = args as { ignoredResources?: readonly string[] };
  return { ...args, ignoredResources: [...ignoredResources, ...more] };
}

const disables = (set: PluginSet | undefined, plugin: string): boolean =>
  (set?.disabled ?? []).some(({ name }) => name === '*' || name === plugin);
