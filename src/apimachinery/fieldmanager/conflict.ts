/** What an apply fails with when others own what it changes (upstream's `NewConflictError`). */
import { failure, StatusError } from '../errors.ts';
import { formatPath } from './element.ts';
import { type FieldSet, forEachPath } from './fieldset.ts';
import type { Manager } from './managers.ts';

export interface Conflict {
  manager: Manager;
  /** The fields that it owns and the apply would change. */
  fields: FieldSet;
}

/** Thrown inside the field manager; leaves it as {@link StatusError}. */
export class Conflicts extends Error {
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super('apply conflicts');
    this.conflicts = conflicts;
  }

  /** 409 with a cause for each field. */
  toStatusError(): StatusError {
    const named = [...this.conflicts]
      .sort((a, b) => (identity(a.manager) < identity(b.manager) ? -1 : 1))
      .map(({ manager, fields }) => ({ by: describe(manager), paths: pathsOf(fields) }));
    const causes = named.flatMap(({ by, paths }) =>
      paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${by}`, field })),
    );
    return new StatusError(failure(409, 'Conflict', messageOf(named, causes.length), { causes }));
  }
}

/** What upstream sorts by. */
const identity = ({ name, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource]);

function messageOf(named: readonly { by: string; paths: readonly string[] }[], count: number): string {
  const [only] = named;
  if (count === 1 && only !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${only.by}: ${only.paths[0]}`;
  }
  const lines = named.flatMap(({ by, paths }) => [`conflicts with ${by}:`, ...paths.map((path) => `- ${path}`)]);
  return `Apply failed with ${count} conflicts: ${lines.join('\n')}`;
}

function pathsOf(fields: FieldSet): string[] {
  const paths: string[] = [];
  forEachPath(fields, (path) => paths.push(formatPath(path)));
  return paths;
}

function describe({ name, operation, apiVersion, subresource }: Manager): string {
  const within = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`;
  return `${JSON.stringify(name)}${within}${operation === 'Update' ? ` using ${apiVersion}` : ''}`;
}
