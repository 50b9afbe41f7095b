/** Links of proxied pages. */
import { expect, it } from 'vitest';
import { proxyPrefix, rewriteLink } from '../../src/api/streaming/rewrite-links.ts';

const PREFIX = '/api/v1/namespaces/n/pods/http:p:80/proxy';

it.each([
  ['/rewriteme', `${PREFIX}/rewriteme`],
  ['/', `${PREFIX}/`],
  ['/a/b/?q=1#x', `${PREFIX}/a/b/?q=1#x`],
  [`${PREFIX}/there`, `${PREFIX}/there`],
  [`${PREFIX}er`, `${PREFIX}${PREFIX}er`],
  ['relative/x', 'relative/x'],
  ['#top', '#top'],
  ['', ''],
  ['//other.example/x', '//other.example/x'],
  ['https://other.example/x', 'https://other.example/x'],
  ['mailto:a@b', 'mailto:a@b'],
])('%s becomes %s', (link, expected) => {
  expect(rewriteLink(link, PREFIX)).toBe(expected);
});

it.each([
  [PREFIX, ''],
  [`${PREFIX}/`, ''],
  [`${PREFIX}/some/page`, 'some/page'],
  [`${PREFIX}/some/page/`, 'some/page/'],
  [`${PREFIX}/proxy/proxy`, 'proxy/proxy'],
  [`/clusters/c${PREFIX}/x%20y`, 'x%20y'],
])('%s is below the same prefix', (path, rest) => {
  expect(proxyPrefix(new URL(`https://api${path}`), rest).replace('/clusters/c', '')).toBe(PREFIX);
});
