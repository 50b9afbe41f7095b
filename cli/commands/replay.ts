/** `npm run replay`: recorded exchanges against a fresh control plane. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, ROOT, UserError } from '../command.ts';
import { startControlPlane } from '../harness/control-plane.ts';

const TOOL = join(ROOT, '../shared/tools/replay.mjs');
const HELP = `Usage: npm run replay -- PATH... [OPTIONS OF THE TOOL]

Starts a fresh control plane without controllers and nodes on a free port, replays recorded exchanges against it, and stops it.

Example:
  npm run replay -- ../shared/fixtures/recorded/objects/v1-configmap.json --diffs 10
`;

export const replay: Command = {
  name: 'replay',
  summary: 'replay recorded exchanges (npm run replay)',
  help: HELP,
  async run(args) {
    if (!existsSync(TOOL)) throw new UserError('the recordings and their tool are not beside this project.');
    const plane = await startControlPlane({ controllers: 'off', nodes: 'none' });
    try {
      return await new Promise<number>((resolve, reject) => {
        const options = ['--server', plane.server, '--token', plane.token];
        const child = spawn(process.execPath, [TOOL, ...options, ...args], { stdio: 'inherit' });
        child.on('error', reject);
        child.on('exit', (code) => resolve(code ?? 1));
      });
    } finally {
      await plane.stop();
    }
  },
};
