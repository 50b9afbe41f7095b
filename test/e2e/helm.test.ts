/** Helm 3 with a chart of its own: install, upgrade, rollback, uninstall, and `--atomic`. Where there is Go, Helm is built for the test. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../../cli/harness/control-plane.ts';
import { client, type Send } from '../support/https.ts';

const VERSION = 'v3.22.0';
/** To download and build it, once on a machine. */
const BUILD_MS = 300_000;

/** The Helm to use: `$HELM`, the one on the PATH, or one that is built and kept. Undefined, with a reason printed, where there is none. */
function findHelm(): string | undefined {
  for (const helm of [process.env['HELM'], 'helm']) {
    if (helm !== undefined && spawnSync(helm, ['version'], { stdio: 'ignore' }).status === 0) return helm;
  }
  const folder = join(homedir(), '.cache/zeroplane-test', `helm-${VERSION}`);
  const built = join(folder, 'helm');
  if (existsSync(built)) return built;
  if (spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0) {
    console.warn('SKIPPED: there is neither Helm nor Go on the PATH; the test with Helm does not run.');
    return undefined;
  }
  const env = { ...process.env, GOBIN: folder, GOFLAGS: '-mod=mod' };
  const go = spawnSync('go', ['install', `helm.sh/helm/v3/cmd/helm@${VERSION}`], {
    env,
    encoding: 'utf8',
    timeout: BUILD_MS,
  });
  if (go.status === 0) return built;
  console.warn(`SKIPPED: Helm cannot be built; the test with Helm does not run. Go said: ${go.stderr.slice(-300)}`);
  return undefined;
}

const CHART: Record<string, string> = {
  'Chart.yaml': 'apiVersion: v2\nname: web\nversion: 0.1.0\n',
  'values.yaml': 'replicas: 1\ntext: one\nimage: example.com/web:1\nnodeSelector: {}\nextra: false\n',
  'templates/config.yaml': `
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}, labels: {app: {{ .Release.Name }}}}
data: {text: {{ .Values.text | quote }}}
`,
  'templates/deployment.yaml': `
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      nodeSelector: {{ .Values.nodeSelector | toJson }}
      containers: [{name: main, image: {{ .Values.image }}}]
`,
  'templates/extra.yaml': `
{{- if .Values.extra }}
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}-extra}
spec: {selector: {app: {{ .Release.Name }}}, ports: [{port: 80}]}
{{- end }}
`,
};

const helm = findHelm();

describe.skipIf(helm === undefined)('Helm', () => {
  let plane: ControlPlane;
  let send: Send;
  const folder = mkdtempSync(join(tmpdir(), 'zeroplane-helm-'));
  const chart = join(folder, 'web');

  beforeAll(async () => {
    for (const [name, text] of Object.entries(CHART)) {
      mkdirSync(dirname(join(chart, name)), { recursive: true });
      writeFileSync(join(chart, name), text);
    }
    plane = await startControlPlane({ nodes: 'simulated=2' });
    send = client(plane);
  });
  afterAll(async () => {
    await plane?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs Helm; what it printed, and whether it went well. */
  function run(args: string): Promise<{ ok: boolean; output: string }> {
    const places = { HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
    const env = { ...process.env, ...places, KUBECONFIG: plane.kubeconfig };
    return new Promise((resolve) => {
      execFile(helm as string, args.split(' '), { env, timeout: 150_000 }, (error, stdout, stderr) =>
        resolve({ ok: error === null, output: stdout + stderr }),
      );
    });
  }

  async function does(args: string): Promise<string> {
    const { ok, output } = await run(args);
    expect(ok, `helm ${args}: ${output}`).toBe(true);
    return output;
  }

  const read = async (path: string): Promise<Record<string, unknown>> => (await send({ path })).body;
  const text = async (): Promise<unknown> => (await read('/api/v1/namespaces/default/configmaps/web'))['data'];
  const replicas = async (): Promise<unknown> => {
    const { status } = await read('/apis/apps/v1/namespaces/default/deployments/web');
    return (status as { readyReplicas?: number }).readyReplicas;
  };
  const statusOf = async (path: string): Promise<number> => (await send({ path })).status;
  const EXTRA = '/api/v1/namespaces/default/services/web-extra';

  it('installs, and waits until it is ready', async () => {
    expect(await does(`install web ${chart} --wait --timeout 90s`)).toContain('STATUS: deployed');
    expect(await text()).toEqual({ text: 'one' });
    // Helm looks at the ReplicaSet; the Deployment says the same a moment later.
    await expect.poll(replicas).toBe(1);
    expect(await does('list')).toMatch(/web\s+default\s+1\s.*deployed\s+web-0\.1\.0/);
    expect((await run(`install web ${chart}`)).output).toContain('cannot re-use a name that is still in use');
  });

  it('upgrades, and rolls back', async () => {
    await does(`upgrade web ${chart} --set text=two,replicas=3,extra=true --wait --timeout 90s`);
    expect([await text(), await statusOf(EXTRA)]).toEqual([{ text: 'two' }, 200]);
    await expect.poll(replicas).toBe(3);
    await does('rollback web 1 --wait --timeout 90s');
    expect([await text(), await statusOf(EXTRA)]).toEqual([{ text: 'one' }, 404]);
    // Helm waits for as many as are wanted to be ready, not for those above that to be gone.
    await expect.poll(replicas).toBe(1);
    expect(await does('history web')).toMatch(/3\s.*deployed\s.*Rollback to 1/);
  });

  it('keeps what others have changed and it has not', async () => {
    const headers = { 'content-type': 'application/merge-patch+json' };
    const body = { metadata: { annotations: { mine: 'yes' } } };
    await send({ method: 'PATCH', path: '/api/v1/namespaces/default/configmaps/web', headers, body });
    await does(`upgrade web ${chart} --set text=three`);
    const { data, metadata } = await read('/api/v1/namespaces/default/configmaps/web');
    expect(data).toEqual({ text: 'three' });
    expect((metadata as { annotations: object }).annotations).toMatchObject({ mine: 'yes' });
  });

  it('takes back an upgrade that does not succeed: --atomic', async () => {
    const { ok, output } = await run(
      `upgrade web ${chart} --set text=bad,nodeSelector.nowhere=x --atomic --timeout 15s`,
    );
    expect(ok).toBe(false);
    expect(output).toContain('has been rolled back due to atomic being set');
    expect(await text()).toEqual({ text: 'three' });
    await expect.poll(replicas).toBe(1);
  });

  it('leaves nothing of an install that does not succeed: --atomic', async () => {
    const { ok, output } = await run(`install never ${chart} --set nodeSelector.nowhere=x --atomic --timeout 15s`);
    expect(ok).toBe(false);
    expect(output).toContain('release never failed, and has been uninstalled due to atomic being set');
    expect(await statusOf('/api/v1/namespaces/default/configmaps/never')).toBe(404);
    expect(await does('list --all')).not.toContain('never');
  });

  it('tells what the server would say: --dry-run=server', async () => {
    const { ok, output } = await run(`install dry ${chart} --dry-run=server --set image=`);
    expect([ok, output]).toEqual([true, expect.stringContaining('name: dry')]);
    expect(await statusOf('/api/v1/namespaces/default/configmaps/dry')).toBe(404);
  });

  it('uninstalls', async () => {
    expect(await does('uninstall web --wait --timeout 90s')).toContain('release "web" uninstalled');
    for (const path of [
      '/api/v1/namespaces/default/configmaps/web',
      '/apis/apps/v1/namespaces/default/deployments/web',
    ]) {
      expect(await statusOf(path)).toBe(404);
    }
    const secrets = await read('/api/v1/namespaces/default/secrets?labelSelector=owner%3Dhelm');
    expect(secrets['items']).toEqual([]);
  });
});
