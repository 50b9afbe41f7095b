/** What an authorizer judges, and what it says. */
import type { FieldTerm } from '../../apimachinery/fields.ts';

/** What is asked (`authorizer.Attributes`). */
export interface Attributes {
  verb: string;
  isResource: boolean;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  path: string;
  /** Which of a collection is meant: a list that asks for less may be allowed where one of everything is not. */
  fieldSelector?: readonly FieldTerm[];
}

/** Not allowed means that nobody had an opinion; what they said to it is the reason. */
export interface Decision {
  allowed: boolean;
  reason: string;
}
