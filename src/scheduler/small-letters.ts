/** An extender's answer: upstream's types have no names of their own for JSON, and Go reads names however they are written. */

/** The object with the names of its members, not of what lies in them, in small letters; what is no object has none. */
export const inSmallLetters = <T extends object>(value: unknown): Partial<T> =>
  typeof value === 'object' && value !== null
    ? (Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toLowerCase(), member])) as Partial<T>)
    : {};
