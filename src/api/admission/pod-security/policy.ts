/** Which levels a namespace asks for, by its labels (`api.PolicyToEvaluate`). */
const PREFIX = 'pod-security.kubernetes.io/';
const LEVELS = ['privileged', 'baseline', 'restricted'] as const;
const VERSION = /^(?:latest|v1\.(?:0|[1-9]\d*))$/;

export type Level = (typeof LEVELS)[number];

export interface LevelVersion {
  level: Level;
  /** `latest`, or `v1.x`. */
  version: string;
}

export interface Policy {
  enforce: LevelVersion;
  audit: LevelVersion;
  warn: LevelVersion;
}

type Labels = Readonly<Record<string, string>>;

/** Whether the namespace asks for anything at all. */
export function hasPolicy(labels: Labels | undefined): boolean {
  return Object.keys(labels ?? {}).some((key) => key.startsWith(PREFIX));
}

/** How strict the first is beside the second: negative, zero or positive. */
export function compareLevels(a: Level, b: Level): number {
  return LEVELS.indexOf(a) - LEVELS.indexOf(b);
}

/** What pods of a namespace with these labels must be, and are warned about. Warnings follow what is enforced unless told otherwise. */
export function policyOf(labels: Labels = {}): Policy {
  const said = labels[`${PREFIX}enforce`];
  // A label that nobody understands must not open the door.
  const enforce = levelVersion(labels, 'enforce', 'restricted');
  const audit = levelVersion(labels, 'audit', 'privileged');
  const warn = levelVersion(labels, 'warn', 'privileged');
  if (labels[`${PREFIX}warn`] !== undefined || !isLevel(said)) return { enforce, audit, warn };
  const version = labels[`${PREFIX}warn-version`] === undefined ? enforce.version : warn.version;
  return { enforce, audit, warn: { level: enforce.level, version } };
}

function levelVersion(labels: Labels, mode: string, otherwise: Level): LevelVersion {
  const level = labels[PREFIX + mode];
  const version = labels[`${PREFIX}${mode}-version`] ?? 'latest';
  return {
    level: level === undefined ? 'privileged' : isLevel(level) ? level : otherwise,
    version: VERSION.test(version) ? version : 'latest',
  };
}

const isLevel = (level: string | undefined): level is Level => LEVELS.some((known) => known === level);

/** `baseline:latest` */
export const formatLevel = ({ level, version }: LevelVersion): string => `${level}:${version}`;
