/** `npm run bench`: figures, as JSON lines and as a table. `npm run soak`: what is left after a long churn. */
import type { Command } from '../command.ts';
import { runScript } from '../script.ts';

const HELP = `Usage: npm run bench [-- OPTIONS]

Measures requests, watches and scaling on a fresh control plane, what one costs that is left alone, and the scheduler by itself; prints a
JSON line per figure, then a table.

Options:
  --seconds N     per figure (default 3)
  --idle N        minutes for which a cluster is left alone (default 2; 0: that is left out)

Example:
  npm run bench -- --seconds 1 --idle 10
`;

export const bench: Command = {
  name: 'bench',
  summary: 'measure (npm run bench)',
  help: HELP,
  run: (args) => runScript('test/bench/main.ts', args),
};

export const soak: Command = {
  name: 'soak',
  summary: 'churn a cluster for a long time, and look what is left (npm run soak)',
  help: `Usage: npm run soak [-- OPTIONS]

Creates, scales, rolls out and deletes at random over simulated nodes, taints nodes, and kills workerd at random moments. At the end
every object must have become what its spec says, and nothing may be left over; exits with 1 and says what where it is not so.

Options:
  --minutes N     default 30
  --nodes N       default 200
  --kill N        seconds between kills, about (default 60)
  --settle N      seconds that all may take to settle (default 120)

Example:
  npm run soak -- --minutes 3 --nodes 30
`,
  run: (args) => runScript('test/bench/soak.ts', args),
};
