/** `$(VAR)` in commands, arguments and environment values. */

/** Replaces `$(NAME)` by its value; unknown names stay as they are and `$$` is a literal dollar sign. */
export function expand(text: string, values: ReadonlyMap<string, string>): string {
  let result = '';
  for (let i = 0; i < text.length; i++) {
    const next = text[i + 1];
    if (text[i] !== '$' || next === undefined) {
      result += text[i];
    } else if (next === '$') {
      result += '$';
      i++;
    } else if (next === '(') {
      const end = text.indexOf(')', i + 2);
      if (end < 0) return result + text.slice(i);
      const name = text.slice(i + 2, end);
      result += values.get(name) ?? `$(${name})`;
      i = end;
    } else {
      result += '$';
    }
  }
  return result;
}
