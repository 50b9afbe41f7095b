/** Links in proxied pages lead through the proxy again (upstream's `util/proxy.Transport`). */

/** Attributes that hold a URL, by element. */
const LINKS: Readonly<Record<string, readonly string[]>> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  command: ['icon'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  track: ['src'],
  video: ['poster', 'src'],
};

/** What the proxy's own URL begins with, given what follows `proxy/` in it. */
export function proxyPrefix({ pathname }: URL, rest: string): string {
  return pathname.slice(0, pathname.length - rest.length).replace(/\/+$/, '');
}

/** A link from the root of who is proxied, as a link through the proxy; any other as it is. */
export function rewriteLink(link: string, prefix: string): string {
  const isFromRoot = link.startsWith('/') && !link.startsWith('//');
  return !isFromRoot || link === prefix || link.startsWith(`${prefix}/`) ? link : prefix + link;
}

/** The answer with its links, and where it redirects to, leading through the proxy. */
export function rewriteLinks(response: Response, prefix: string): Response {
  const location = response.headers.get('location');
  if (location !== null) response.headers.set('location', rewriteLink(location, prefix));
  const { headers } = response;
  if (!headers.get('content-type')?.startsWith('text/html') || headers.has('content-encoding')) return response;
  // Pages grow.
  headers.delete('content-length');
  const rewriter = new HTMLRewriter();
  for (const [element, attributes] of Object.entries(LINKS)) {
    rewriter.on(element, {
      element(found) {
        for (const name of attributes) {
          const link = found.getAttribute(name);
          if (link !== null) found.setAttribute(name, rewriteLink(link, prefix));
        }
      },
    });
  }
  return rewriter.transform(response);
}
