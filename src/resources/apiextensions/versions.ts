/**
 * The versions of a CustomResourceDefinition as upstream looks at them: what all versions have in common is moved up to the
 * spec, and errors are found there (`spec.validation`, `spec.subresources`), as in the definitions of old.
 */
import { deepEqual } from '../../apimachinery/equal.ts';
import type {
  CustomResourceColumnDefinition,
  CustomResourceSubresources,
  CustomResourceValidation,
  JSONSchemaProps,
  SelectableField,
  CustomResourceDefinitionVersion as Version,
} from '../../generated/types/apiextensions.v1.ts';
import { flag, listOf, nullable, pointerTo, struct, text } from '../validation/go-struct.ts';
import { schema } from './shown-schema.ts';

/** What a version says beside its name, with the paths under which errors in it are reported. */
export interface VersionView {
  schema?: JSONSchemaProps;
  /** Path of the object that holds `openAPIV3Schema`. */
  schemaPath: string;
  subresources?: CustomResourceSubresources;
  columns?: CustomResourceColumnDefinition[];
  selectableFields?: SelectableField[];
  /** Where those fields are; a text where there is nothing in which they could be. */
  selectableIn: JSONSchemaProps | string | undefined;
  /** Whether the status is a subresource of what the schema is about. */
  hasStatus: boolean;
  /** Path of the object that holds the other three; each may be moved up on its own. */
  subresourcesPath: string;
  columnsPath: string;
  selectablePath: string;
}

const MOVED = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const;
type Moved = (typeof MOVED)[number];

function isCommon(versions: readonly Version[], field: Moved): boolean {
  return versions.every((version) => deepEqual(version[field], versions[0]?.[field]));
}

/** The views of all versions; what they have in common is looked at once, with the first. */
export function versionViews(versions: readonly Version[]): VersionView[] {
  const common = new Set(MOVED.filter((field) => isCommon(versions, field)));
  const take = <K extends Moved>(version: Version, field: K, index: number): Version[K] | undefined =>
    common.has(field) && index > 0 ? undefined : version[field];
  return versions.map((version, index) => {
    const own = `spec.versions[${index}]`;
    const at = (field: Moved): string => (common.has(field) ? 'spec' : own);
    const schema = take(version, 'schema', index)?.openAPIV3Schema;
    const subresources = take(version, 'subresources', index);
    const columns = take(version, 'additionalPrinterColumns', index);
    const selectableFields = take(version, 'selectableFields', index);
    const isShared = common.has('schema');
    return {
      selectableIn: selectableIn(version, isShared, common.has('selectableFields')),
      hasStatus: (isShared ? versions : [version]).some((one) => one.subresources?.status !== undefined),
      ...(schema === undefined ? {} : { schema }),
      ...(subresources === undefined ? {} : { subresources }),
      ...(columns === undefined ? {} : { columns }),
      ...(selectableFields === undefined ? {} : { selectableFields }),
      schemaPath: common.has('schema') ? 'spec.validation' : `${own}.schema`,
      subresourcesPath: `${at('subresources')}.subresources`,
      columnsPath: `${at('additionalPrinterColumns')}.additionalPrinterColumns`,
      selectablePath: `${at('selectableFields')}.selectableFields`,
    };
  });
}

function selectableIn({ schema }: Version, isShared: boolean, isMoved: boolean): JSONSchemaProps | string | undefined {
  if (isMoved && (!isShared || schema === undefined)) return 'may only be set when validations.schema is included';
  if (!isMoved && (isShared || schema?.openAPIV3Schema === undefined)) {
    return 'may only be set when `version.schema.openAPIV3Schema` is not included';
  }
  return schema?.openAPIV3Schema;
}

const shown = listOf(
  struct({
    Name: text,
    Served: flag,
    Storage: flag,
    Deprecated: flag,
    DeprecationWarning: nullable,
    Schema: pointerTo((value) => ({ OpenAPIV3Schema: schema((value as CustomResourceValidation).openAPIV3Schema) })),
    Subresources: nullable,
    AdditionalPrinterColumns: nullable,
    SelectableFields: nullable,
  }),
);

/** The versions as messages print them: without what was moved up. */
export function shownVersions(versions: readonly Version[] | undefined): unknown {
  if (versions === undefined) return null;
  const common = MOVED.filter((field) => isCommon(versions, field));
  return shown(
    versions.map((version) => {
      const rest = { ...version };
      for (const field of common) delete rest[field];
      return rest;
    }),
  );
}
