/** `npm run bench`: JSON lines on standard output, a table on standard error at the end. */
import { parseArgs } from 'node:util';
import { startControlPlane } from '../../cli/harness/control-plane.ts';
import { step } from '../../cli/progress.ts';
import { measureAccess } from './access.ts';
import { BenchClient } from './client.ts';
import { measureExtending } from './extending.ts';
import { Figures } from './figures.ts';
import { measureIdle } from './idle.ts';
import { measureRequests, measureRows, prepare } from './requests.ts';
import { measureScaling } from './scaling.ts';
import { measureScheduling, SIZES } from './scheduling.ts';
import { measureLag, measureWatches } from './watches.ts';

const CLIENTS = [1, 32];
const WATCHERS = [1, 50, 300];

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '3' }, idle: { type: 'string', default: '2' } },
});
const seconds = Number(values.seconds);
const idleMinutes = Number(values.idle);
if (!(seconds > 0) || !(idleMinutes >= 0)) {
  process.stderr.write('zeroplane: --seconds must be a number above 0, --idle one of minutes.\n');
  process.exit(2);
}

const figures = new Figures();
const alone = await step('Starting the API alone', () => startControlPlane({ nodes: 'none', controllers: 'off' }));
try {
  const client = new BenchClient(alone, 32);
  await prepare(client);
  client.close();
  for (const clients of CLIENTS) {
    await step(`Requests, clients: ${clients}`, () => measureRequests(alone, figures, clients, seconds));
  }
  for (const watchers of WATCHERS) {
    await step(`Watches, watchers: ${watchers}`, () => measureWatches(alone, figures, watchers));
  }
  await step('Watches under load', () => measureLag(alone, figures));
  await step('Rows', () => measureRows(alone, figures));
  await step('Access', () => measureAccess(alone, figures));
  await step('Custom resources and policies', () => measureExtending(alone, figures));
} finally {
  await alone.stop();
}
const whole = await step('Starting all of it', () => startControlPlane({ nodes: 'simulated=3' }));
try {
  await step('Scaling', () => measureScaling(whole, figures));
} finally {
  await whole.stop();
}
if (idleMinutes > 0) await step('Idling', () => measureIdle(figures, idleMinutes));
await step('Scheduling', () => measureScheduling(figures, SIZES));
process.stderr.write(`\n${figures.table()}\n`);
