/** Abstract sockets are Linux' own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimNetwork, networkHolder } from '../../agent/network/claim.ts';

describe.skipIf(process.platform !== 'linux')('the network of a machine', () => {
  const address = `\0zeroplane-test-${process.pid}`;

  it('is one agent’s, until that one dies', async () => {
    expect(await networkHolder(address)).toBeUndefined();
    const script = `
      import { claimNetwork } from ${JSON.stringify(join(import.meta.dirname, '../../agent/network/claim.ts'))};
      console.log(await claimNetwork('the first', ${JSON.stringify(address)}));
      setInterval(() => {}, 1000);`;
    const first = spawn(process.execPath, ['--input-type=module', '-e', script]);
    const [said] = (await once(first.stdout, 'data')) as [Buffer];
    expect(said.toString()).toBe('undefined\n');
    expect(await claimNetwork('the second', address)).toBe('the first');
    expect(await networkHolder(address)).toBe('the first');
    const gone = once(first, 'exit');
    first.kill('SIGKILL');
    await gone;
    expect(await networkHolder(address)).toBeUndefined();
    expect(await claimNetwork('the third', address)).toBeUndefined();
    expect(await networkHolder(address)).toBe('the third');
  });
});
