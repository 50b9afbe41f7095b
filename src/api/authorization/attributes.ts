/** What an authorizer judges. */

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
}
