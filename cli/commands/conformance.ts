/** `npm run conformance`: Kubernetes' own suite, for who has Go and patience. */
import type { Command } from '../command.ts';
import { runScript } from '../script.ts';

export const conformance: Command = {
  name: 'conformance',
  summary: "run Kubernetes' own conformance suite (npm run conformance)",
  help: `Usage: npm run conformance [-- OPTIONS]

Downloads Kubernetes' end-to-end tests as Go modules, builds them (once; a quarter of an hour on two cores, 3 GB of disk), starts a
control plane with two real nodes in network namespaces of their own, gives them images of the suite's programs, and runs the tests.
Needs Go and root; installs Debian packages that are missing. Prints what failed and why; exits with 1 where anything did.

Options:
  --focus RE      tests whose names match (default '\\[Conformance\\]')
  --skip RE       but not these
  --nodes N       simulated=3 instead of real nodes: for tests that need no containers
  --procs N       tests at a time (default 4)
  --minutes N     at most (default 120)
  --keep FOLDER   for the suite's log and its report
  --output json   a line for each test that ran

Examples:
  npm run conformance -- --nodes simulated=3 --focus 'sig-apps.*Conformance'
  npm run conformance -- --focus 'Services should.*Conformance' --procs 1
`,
  run: (args) => runScript('test/conformance/main.ts', args),
};
