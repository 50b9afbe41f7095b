/** The checks that the level `restricted` adds to `baseline`, and the ids of those that they stand in for. */
import { type Check, type Finding, unmasked } from './baseline.ts';
import { type Container, containersThat, named, onLinux, type PodSpec, quoted } from './pod.ts';

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
const ownUsers = (spec: PodSpec): boolean => spec.hostUsers === false;

function allowPrivilegeEscalation(spec: PodSpec): Finding | undefined {
  if (!onLinux(spec)) return undefined;
  const names = containersThat(spec, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  const detail = `${named('container', names)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
}

function capabilities(spec: PodSpec): Finding | undefined {
  if (!onLinux(spec)) return undefined;
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
  if (ownUsers(spec)) return undefined;
  const pod = spec.securityContext?.runAsNonRoot;
  const saysRoot = containersThat(spec, ({ securityContext }) => securityContext?.runAsNonRoot === false);
  const silent = containersThat(spec, ({ securityContext }) => securityContext?.runAsNonRoot === undefined);
  if (saysRoot.length > 0 || pod === false) {
    const who: string[] = [];
    if (pod === false && silent.length > 0) who.push('pod');
    if (saysRoot.length > 0) who.push(named('container', saysRoot));
    if (who.length === 0) return undefined;
    const detail = `${who.join(' and ')} must not set securityContext.runAsNonRoot=false`;
    return { reason: 'runAsNonRoot != true', detail };
  }
  if (pod === true || silent.length === 0) return undefined;
  const detail = `pod or ${named('container', silent)} must set securityContext.runAsNonRoot=true`;
  return { reason: 'runAsNonRoot != true', detail };
}

function runAsUser(spec: PodSpec): Finding | undefined {
  if (ownUsers(spec)) return undefined;
  const who: string[] = [];
  if (spec.securityContext?.runAsUser === 0) who.push('pod');
  const names = containersThat(spec, ({ securityContext }) => securityContext?.runAsUser === 0);
  if (names.length > 0) who.push(named('container', names));
  if (who.length === 0) return undefined;
  return { reason: 'runAsUser=0', detail: `${who.join(' and ')} must not set runAsUser=0` };
}

const isSafe = (type: string | undefined): boolean => type === 'RuntimeDefault' || type === 'Localhost';

function seccompProfile(spec: PodSpec): Finding | undefined {
  if (!onLinux(spec)) return undefined;
  const pod = spec.securityContext?.seccompProfile?.type;
  const typeOf = ({ securityContext }: Container): string | undefined => securityContext?.seccompProfile?.type;
  const wrong = containersThat(spec, (container) => typeOf(container) !== undefined && !isSafe(typeOf(container)));
  const silent = containersThat(spec, (container) => typeOf(container) === undefined);
  const details: string[] = [];
  const types = [
    ...new Set(
      [pod !== undefined && !isSafe(pod) ? pod : undefined, wrong.length > 0 ? 'Unconfined' : undefined].filter(
        (type) => type !== undefined,
      ),
    ),
  ];
  if (types.length > 0) {
    const who = [
      ...(pod !== undefined && !isSafe(pod) ? ['pod'] : []),
      ...(wrong.length > 0 ? [named('container', wrong)] : []),
    ];
    details.push(`${who.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(types)}`);
  }
  if (pod === undefined && silent.length > 0) {
    details.push(
      `pod or ${named('container', silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
    );
  }
  return details.length === 0 ? undefined : { reason: 'seccompProfile', detail: details.join('; ') };
}

/** In upstream's order; the third says which check of `baseline` it takes the place of. */
export const RESTRICTED: readonly [id: string, check: Check, instead?: string][] = [
  ['allowPrivilegeEscalation', allowPrivilegeEscalation],
  ['capabilities_restricted', capabilities, 'capabilities_baseline'],
  ['procMount_restricted', unmasked, 'procMount'],
  ['restrictedVolumes', restrictedVolumes, 'hostPathVolumes'],
  ['runAsNonRoot', runAsNonRoot],
  ['runAsUser', runAsUser],
  ['seccompProfile_restricted', seccompProfile, 'seccompProfile_baseline'],
];
