/** The suite's report, as ginkgo writes it for JUnit. */

export interface Result {
  name: string;
  outcome: 'passed' | 'failed' | 'skipped';
  seconds: number;
  /** The first line of a failure. */
  why: string;
}

const CASE = /<testcase ([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs;
const ENTITIES: Record<string, string> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  '#34': '"',
  '#39': "'",
  '#xA': ' ',
};

/** Every test of the report but the suite's own steps. */
export function readReport(xml: string): Result[] {
  return [...xml.matchAll(CASE)]
    .map(([, attributes = '', body = '']) => {
      const status = attribute(attributes, 'status');
      const [, why = ''] = /<(?:failure|error) [^>]*>(?:\[\w+\] )?(.*?)(?:&#xA;|<)/s.exec(body) ?? [];
      const outcome =
        status === 'passed' || status === 'skipped' ? status : status === 'pending' ? 'skipped' : 'failed';
      const seconds = Number(attribute(attributes, 'time'));
      return { name: attribute(attributes, 'name'), outcome, seconds, why: plain(why).slice(0, 300) } as const;
    })
    .filter(({ name }) => name.startsWith('[It]') || name.startsWith('[sig-'))
    .map((result) => ({ ...result, name: result.name.replace(/^\[It\] /, '') }));
}

function attribute(text: string, name: string): string {
  return plain(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? '');
}

const plain = (text: string): string => text.replace(/&(#?\w+);/g, (all, name: string) => ENTITIES[name] ?? all).trim();
