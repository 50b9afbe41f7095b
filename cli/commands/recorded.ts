/** `npm run replay` and `npm run converge`: what was recorded of the original, against a fresh control plane. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, ROOT, UserError } from '../command.ts';
import { type ControlPlaneOptions, startControlPlane } from '../harness/control-plane.ts';

const TOOLS = join(ROOT, '../shared/tools');

export const replay: Command = {
  name: 'replay',
  summary: 'replay recorded exchanges (npm run replay)',
  help: `Usage: npm run replay -- PATH... [OPTIONS OF THE TOOL]

Starts a fresh control plane without controllers and nodes on a free port, replays recorded exchanges against it, and stops it.

Example:
  npm run replay -- ../shared/fixtures/recorded/objects/v1-configmap.json --diffs 10
`,
  run: (args) => compare('replay.mjs', { controllers: 'off', nodes: 'none' }, args),
};

export const converge: Command = {
  name: 'converge',
  summary: 'compare what controllers and scheduler make of workloads (npm run converge)',
  help: `Usage: npm run converge -- PATH... [OPTIONS OF THE TOOL]

Starts a fresh control plane with three simulated nodes on a free port, applies recorded workloads to it, compares what controllers
and scheduler make of them with what the original made of them, and stops it.

Example:
  npm run converge -- ../shared/fixtures/converge/deployment.json --diffs 10
`,
  run: (args) => compare('converge.mjs', { nodes: 'simulated=3' }, args),
};

/** Runs a tool against a control plane of its own; the answer is the tool's exit code. */
async function compare(name: string, options: ControlPlaneOptions, args: readonly string[]): Promise<number> {
  const tool = join(TOOLS, name);
  if (!existsSync(tool)) throw new UserError('the recordings and their tools are not beside this project.');
  const plane = await startControlPlane(options);
  try {
    return await new Promise<number>((resolve, reject) => {
      const own = ['--server', plane.server, '--token', plane.token];
      const child = spawn(process.execPath, [tool, ...own, ...args], { stdio: 'inherit' });
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
  } finally {
    await plane.stop();
  }
}
