/** The checks that the level `restricted` adds to `baseline`, and the ids of those that they stand in for. */
import { type Check, type Finding, unconfined, unmasked, type Versions } from './baseline.ts';
import { containersThat, named, onLinux, type PodSpec, quoted, setters } from './pod.ts';

/** Volumes that a pod may bring; any other source is not. */
const VOLUMES = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]);

/** With a user namespace of its own, root in a pod is nobody outside. */
const unlessOwnUsers =
  (check: Check): Check =>
  (spec, metadata) =>
    spec.hostUsers === false ? undefined : check(spec, metadata);

/** Windows knows no such thing. */
const ifLinux =
  (check: Check): Check =>
  (spec, metadata) =>
    onLinux(spec) ? check(spec, metadata) : undefined;

function allowPrivilegeEscalation(spec: PodSpec): Finding | undefined {
  const names = containersThat(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  const detail = `${named('container', names)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
}

function capabilities(spec: PodSpec): Finding | undefined {
  const added = new Set<string>();
  const keeping = containersThat(spec, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'));
  const adding = containersThat(spec, ({ securityContext }) => {
    const wrong = (securityContext?.capabilities?.add ?? []).filter((name) => name !== 'NET_BIND_SERVICE');
    for (const name of wrong) added.add(name);
    return wrong.length > 0;
  });
  const details: string[] = [];
  if (keeping.length > 0)
    details.push(`${named('container', keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0) {
    const what = quoted([...added].sort());
    details.push(`${named('container', adding)} must not include ${what} in securityContext.capabilities.add`);
  }
  return details.length === 0 ? undefined : { reason: 'unrestricted capabilities', detail: details.join('; ') };
}

function restrictedVolumes(spec: PodSpec): Finding | undefined {
  const types = new Set<string>();
  const names: string[] = [];
  for (const { name = '', ...sources } of spec.volumes ?? []) {
    const source = Object.keys(sources).find((key) => (sources as Record<string, unknown>)[key] !== undefined);
    if (source === undefined || VOLUMES.has(source)) continue;
    names.push(name);
    types.add(source);
  }
  if (names.length === 0) return undefined;
  const what = `restricted volume type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`;
  const detail = `${named('volume', names)} ${names.length === 1 ? 'uses' : 'use'} ${what}`;
  return { reason: 'restricted volume types', detail };
}

function runAsNonRoot(spec: PodSpec): Finding | undefined {
  const reason = 'runAsNonRoot != true';
  const who = setters(spec, (context) => context.runAsNonRoot === false);
  if (who.length > 0) return { reason, detail: `${who.join(' and ')} must not set securityContext.runAsNonRoot=false` };
  if (spec.securityContext?.runAsNonRoot === true) return undefined;
  const silent = containersThat(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${named('container', silent)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(spec: PodSpec): Finding | undefined {
  const who = setters(spec, (context) => context.runAsUser === 0);
  return who.length === 0
    ? undefined
    : { reason: 'runAsUser=0', detail: `${who.join(' and ')} must not set runAsUser=0` };
}

function seccompProfile(spec: PodSpec): Finding | undefined {
  const wrong = unconfined(spec);
  if (wrong !== undefined || spec.securityContext?.seccompProfile !== undefined) return wrong;
  const silent = containersThat(spec, ({ securityContext }) => securityContext?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"';
  return { reason: 'seccompProfile', detail: `pod or ${named('container', silent)} ${must}` };
}

const sinceAndOnLinux = (since: number, check: Check): Versions => [
  [since, check],
  [25, ifLinux(check)],
];

/** In upstream's order; the third says which check of `baseline` it takes the place of. */
export const RESTRICTED: readonly [id: string, versions: Versions, instead?: string][] = [
  ['allowPrivilegeEscalation', sinceAndOnLinux(8, allowPrivilegeEscalation)],
  ['capabilities_restricted', sinceAndOnLinux(22, capabilities), 'capabilities_baseline'],
  ['procMount_restricted', [[35, unmasked]], 'procMount'],
  ['restrictedVolumes', [[0, restrictedVolumes]], 'hostPathVolumes'],
  [
    'runAsNonRoot',
    [
      [0, runAsNonRoot],
      [35, unlessOwnUsers(runAsNonRoot)],
    ],
  ],
  [
    'runAsUser',
    [
      [23, runAsUser],
      [35, unlessOwnUsers(runAsUser)],
    ],
  ],
  ['seccompProfile_restricted', sinceAndOnLinux(19, seccompProfile), 'seccompProfile_baseline'],
];
