/** Functions of the base library that ours take the place of: under the same name, with a line at its end. */
const REPLACED = new Set(
  (
    'matches upperAscii lowerAscii string int uint double bool timestamp duration indexOf lastIndexOf substring split join' +
    ' getFullYear getMonth getDate getDayOfMonth getDayOfWeek getDayOfYear getHours getMinutes getSeconds getMilliseconds'
  ).split(' '),
);

/** The name under which a function is called. */
export const replacing = (name: string): string => (REPLACED.has(name) ? `${name}_` : name);

/** The name that was written. */
export const written = (name: string): string => name.replace(/_$/, '');
