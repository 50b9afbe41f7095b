/** `node test/bench/fuzz.ts [COUNT] [SEED]`: bodies and patches by chance against the decoders and what stands behind them; 100,000 unless told. */
import { outcomeOf, outcomeOfPatch, randomBody, randomPatch } from '../support/fuzz.ts';
import { Chance } from '../support/random.ts';

/** No more failures are shown than this. */
const SHOWN = 20;

const count = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const outcomes = new Map<string, number>();
const wrong = new Map<string, string>();
const started = performance.now();
for (let i = 0; i < count; i++) {
  const chance = new Chance(seed + i);
  const body = i % 4 === 3 ? randomPatch(chance) : randomBody(chance);
  const outcome = 'patchType' in body ? outcomeOfPatch(body) : outcomeOf(body);
  const isWrong = outcome.startsWith('WRONG');
  const name = isWrong ? 'wrong' : outcome;
  outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
  const where = `${body.resource.kind} ${outcome.split('\n').slice(0, 4).join(' ')}`;
  if (isWrong && !wrong.has(where))
    wrong.set(where, `seed ${seed + i}, ${'patchType' in body ? body.patchType : body.type}`);
}
const seconds = ((performance.now() - started) / 1000).toFixed(1);
process.stderr.write(`${count} bodies from seed ${seed} in ${seconds} s\n`);
for (const [outcome, times] of [...outcomes].sort()) process.stderr.write(`  ${outcome}: ${times}\n`);
for (const [what, which] of [...wrong].slice(0, SHOWN)) process.stderr.write(`${which}: ${what}\n`);
process.exitCode = wrong.size === 0 ? 0 : 1;
