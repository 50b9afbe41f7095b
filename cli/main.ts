/** The `zeroplane` command: finds the command that was named and runs it. */

import { type Command, UserError } from './command.ts';
import { bench, soak } from './commands/bench.ts';
import { conformance } from './commands/conformance.ts';
import { keys } from './commands/keys.ts';
import { kubeconfig } from './commands/kubeconfig.ts';
import { login } from './commands/login.ts';
import { node } from './commands/node.ts';
import { converge, replay } from './commands/recorded.ts';
import { test } from './commands/test.ts';
import { token } from './commands/token.ts';
import { up } from './commands/up.ts';

/** Adding a command is a file and a line here. */
const COMMANDS: readonly Command[] = [
  up,
  kubeconfig,
  login,
  token,
  node,
  keys,
  test,
  bench,
  soak,
  replay,
  converge,
  conformance,
];

function help(): string {
  const lines = COMMANDS.map(({ name, summary }) => `  ${name.padEnd(12)} ${summary}`);
  return [
    'Usage: zeroplane COMMAND [OPTIONS]',
    '',
    ...lines,
    '',
    'zeroplane COMMAND --help says more of each.',
    '',
  ].join('\n');
}

// A terminal that was closed listens no more, and what runs is still to be stopped in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const [name = 'help', ...args] = process.argv.slice(2);
const command = COMMANDS.find((c) => c.name === name);
if (command === undefined) {
  const asked = name === 'help' || name === '--help' || name === '-h';
  (asked ? process.stdout : process.stderr).write(
    asked ? help() : `zeroplane: there is no command ${name}.\n\n${help()}`,
  );
  process.exitCode = asked ? 0 : 2;
} else if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(command.help);
} else {
  try {
    process.exitCode = await command.run(args);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`zeroplane: ${error.message}\n`);
    process.exitCode = error.exitCode;
  }
}
