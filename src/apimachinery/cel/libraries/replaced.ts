/** Functions of the base library that ours take the place of: under the same name, with a line at its end. */
const REPLACED = ['matches', 'upperAscii', 'lowerAscii', 'string'];

/** The name under which a function is called. */
export const replacing = (name: string): string => (REPLACED.includes(name) ? `${name}_` : name);

/** The name that was written. */
export const written = (name: string): string => name.replace(/_$/, '');
