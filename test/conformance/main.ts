/** Runs Kubernetes' own conformance suite on a fresh control plane, and says which of its tests pass. */
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseOptions, UserError } from '../../cli/command.ts';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { say, step } from '../../cli/progress.ts';
import { installMissing, NEEDED_BY_TESTS, unfitness } from '../../cli/up/packages.ts';
import { Lab } from '../e2e/lab.ts';
import { eventually, kubectl } from '../e2e/support.ts';
import { startRegistry } from '../support/registry.ts';
import { NEEDED_BY_IMAGES, suiteImages } from './images.ts';
import { type Result, readReport } from './report.ts';
import { buildSuite, type Suite } from './suite.ts';

const { values } = parseOptions({
  args: process.argv.slice(2),
  options: {
    focus: { type: 'string', default: '\\[Conformance\\]' },
    skip: { type: 'string', default: '' },
    nodes: { type: 'string', default: 'real' },
    procs: { type: 'string', default: '4' },
    minutes: { type: 'string', default: '120' },
    output: { type: 'string', default: 'text' },
    keep: { type: 'string' },
  },
});

/** Two machines of their own networks, or simulated nodes, where nothing runs and the suite's containers say nothing. */
async function withCluster(suite: Suite, run: (plane: ControlPlane) => Promise<number>): Promise<number> {
  if (values.nodes !== 'real') {
    const plane = await step('Starting a control plane', () => startControlPlane({ nodes: values.nodes }));
    return run(plane).finally(() => plane.stop());
  }
  const why = unfitness();
  if (why !== undefined) throw new UserError(`${why}; try --nodes simulated=3 for what needs no containers.`);
  await installMissing(true, { ...NEEDED_BY_TESTS, ...NEEDED_BY_IMAGES });
  const lab = new Lab();
  const images = suiteImages(suite);
  // Some tests insist on pulling.
  const registry = await startRegistry(lab.address, images);
  try {
    const plane = await step('Starting a control plane', () =>
      startControlPlane({ nodes: 'none', address: lab.address }),
    );
    try {
      await step('Joining two nodes', async () => {
        for (const name of ['node-a', 'node-b']) await lab.join(plane, name, { mirror: `http://${registry.address}` });
        const wait = ['wait', 'node', 'node-a', 'node-b', '--for=condition=Ready', '--timeout=10s'];
        await eventually('two nodes are ready', async () => (await kubectl(plane, wait)).code === 0);
      });
      await step('Giving them images', async () => lab.importImages(images));
      return await run(plane);
    } finally {
      await plane.stop();
    }
  } finally {
    registry.stop();
    await lab.close();
  }
}

/** Runs the suite; answers how each of its tests went. */
async function runSuite({ tests, ginkgo }: Suite, plane: ControlPlane): Promise<Result[]> {
  const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'zeroplane-conformance-'));
  mkdirSync(folder, { recursive: true });
  const flags = [
    '--kubeconfig',
    plane.kubeconfig,
    '--provider=skeleton',
    '--report-dir',
    folder,
    '--disable-log-dump',
    '--dump-logs-on-failure=false',
  ];
  const args = ['--no-color', `--procs=${values.procs}`, `--timeout=${values.minutes}m`, `--focus=${values.focus}`];
  if (values.skip !== '') args.push(`--skip=${values.skip}`);
  const log = createWriteStream(join(folder, 'suite.log'));
  const child = spawn(ginkgo, [...args, tests, '--', ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  say(`What the suite prints goes to ${join(folder, 'suite.log')}`);
  await new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
  log.end();
  try {
    return readReport(readFileSync(join(folder, 'junit_01.xml'), 'utf8'));
  } catch {
    throw new UserError(`the suite did not begin: ${readFileSync(join(folder, 'suite.log'), 'utf8').slice(-1000)}`);
  } finally {
    if (values.keep === undefined) rmSync(folder, { recursive: true });
  }
}

function print(results: readonly Result[]): void {
  const ran = results.filter(({ outcome }) => outcome !== 'skipped');
  const failed = ran.filter(({ outcome }) => outcome === 'failed');
  if (values.output === 'json') {
    for (const result of ran) console.log(JSON.stringify(result));
    return;
  }
  for (const { name, why } of failed) console.log(`${name}\n    ${why}`);
  console.log(`${ran.length - failed.length} of ${ran.length} pass.`);
}

try {
  const suite = await buildSuite();
  process.exitCode = await withCluster(suite, async (plane) => {
    const results = await runSuite(suite, plane);
    print(results);
    return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0;
  });
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(`zeroplane: ${error.message}`);
  process.exitCode = error.exitCode;
}
