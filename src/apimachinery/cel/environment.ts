/** The environment that expressions in Kubernetes are written for: CEL with its own and Kubernetes' libraries. */
import { Environment } from '@marcbachmann/cel-js/evaluator';
import { conversions } from './libraries/conversions.ts';
import { format } from './libraries/format.ts';
import type { Library } from './libraries/library.ts';
import { lists } from './libraries/lists.ts';
import { macros } from './libraries/macros.ts';
import { networks } from './libraries/networks.ts';
import { quantity } from './libraries/quantity.ts';
import { semver } from './libraries/semver.ts';
import { strings } from './libraries/strings.ts';
import { times } from './libraries/times.ts';
import { twoVariables } from './libraries/two-variables.ts';
import { url } from './libraries/url.ts';
import { operators } from './operators.ts';

/** Adding a library is a file and a line here. */
const LIBRARIES: readonly Library[] = [
  operators,
  conversions,
  times,
  strings,
  lists,
  twoVariables,
  macros,
  quantity,
  url,
  networks,
  semver,
  format,
];

let base: Environment | undefined;

/** An environment with these variables, by name and type (`dyn`, `string`, `map<string, dyn>`). */
export function environmentWith(variables: Readonly<Record<string, string>>): Environment {
  if (base === undefined) {
    // Kubernetes wants literals of one type, but for the arguments of `format`: that is checked apart.
    base = new Environment({ enableOptionalTypes: true, homogeneousAggregateLiterals: false });
    for (const library of LIBRARIES) library(base);
  }
  const environment = base.clone() as unknown as Environment;
  for (const [name, type] of Object.entries(variables)) environment.registerVariable(name, type);
  return environment;
}
