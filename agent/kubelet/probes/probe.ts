/** One run of a probe. */
import { connect } from 'node:net';
import { credentials, Metadata, makeGenericClientConstructor } from '@grpc/grpc-js';
import type { Container, Probe } from '../../../src/generated/types/core.v1.ts';
import { CODES, type CriClient, CriError } from '../../runtime/cri.ts';
import { rpcText } from '../images.ts';
import { actionUrl, dialError, headersOf, httpGet, portOf } from './http.ts';

export interface ProbeResult {
  success: boolean;
  output: string;
}

export interface ProbeTarget {
  cri: CriClient;
  container: Container;
  id: string;
  podIp: string;
}

const MAX_OUTPUT = 10 * 1024;
const HEALTH_CHECK = '/grpc.health.v1.Health/Check';
const SERVING = 1;
const HEALTH_NAMES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

/** Runs the probe once. Throws when nothing can be said of the container; a probe without an action succeeds. */
export async function runProbe(probe: Probe, target: ProbeTarget): Promise<ProbeResult> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1;
  if (probe.exec) return runExec(probe.exec.command ?? [], timeoutSeconds, target);
  if (probe.httpGet) {
    try {
      const url = actionUrl(target.container, probe.httpGet, target.podIp);
      const { status, body } = await httpGet(url, headersOf(probe.httpGet), timeoutSeconds * 1000);
      if (status >= 200 && status < 400) return { success: true, output: body };
      return { success: false, output: `HTTP probe failed with statuscode: ${status}` };
    } catch (error) {
      return { success: false, output: error instanceof Error ? error.message : String(error) };
    }
  }
  if (probe.tcpSocket) {
    const host = probe.tcpSocket.host || target.podIp;
    return runTcp(host, portOf(target.container, probe.tcpSocket.port), timeoutSeconds * 1000);
  }
  if (probe.grpc) {
    const address = `${target.podIp.includes(':') ? `[${target.podIp}]` : target.podIp}:${probe.grpc.port}`;
    return runGrpc(address, probe.grpc.service ?? '', timeoutSeconds * 1000);
  }
  return { success: true, output: '' };
}

async function runExec(command: string[], timeoutSeconds: number, { cri, id }: ProbeTarget): Promise<ProbeResult> {
  try {
    const { exitCode, stdout, stderr } = await cri.execSync(id, command, timeoutSeconds);
    const output = Buffer.concat([stdout, stderr]).subarray(0, MAX_OUTPUT).toString('utf8');
    return { success: exitCode === 0, output };
  } catch (error) {
    if (error instanceof CriError && error.code === CODES.deadlineExceeded) {
      return {
        success: false,
        output: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutSeconds}s`,
      };
    }
    throw new Error(rpcText(error));
  }
}

function runTcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => finish({ success: false, output: `dial tcp ${host}:${port}: i/o timeout` }),
      timeoutMs,
    );
    socket.once('connect', () => finish({ success: true, output: '' }));
    socket.once('error', (error) => finish({ success: false, output: dialError(error, host, port) }));
  });
}

function runGrpc(address: string, service: string, timeoutMs: number): Promise<ProbeResult> {
  const bytes = (value: Buffer): Buffer => value;
  const client = new (makeGenericClientConstructor({}, 'Health'))(address, credentials.createInsecure());
  // HealthCheckRequest{service = 1}; HealthCheckResponse{status = 1, a varint}.
  const name = Buffer.from(service).subarray(0, 127);
  const request = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name]);
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + timeoutMs };
    client.makeUnaryRequest(HEALTH_CHECK, bytes, bytes, request, new Metadata(), options, (error, response) => {
      client.close();
      if (error) {
        const timedOut = error.code === CODES.deadlineExceeded;
        const why = timedOut
          ? `timeout: failed to connect service "${address}" within ${timeoutMs / 1000}s: context deadline exceeded`
          : `error: health rpc probe failed: ${error.message}`;
        resolve({ success: false, output: why });
        return;
      }
      const status = response?.[0] === 0x08 ? (response[1] ?? 0) : 0;
      const success = status === SERVING;
      resolve({ success, output: `service unhealthy (responded with "${HEALTH_NAMES[status] ?? status}")` });
    });
  });
}
