/** Authorization code with PKCE: the browser is sent to the issuer, and comes back to a port of this machine (RFC 8252). */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { UserError } from '../command.ts';
import { say } from '../progress.ts';
import { claimsOf, type Issuer, type Login, tokens } from './issuer.ts';

const CALLBACK = '/callback';
const WAIT_MS = 5 * 60_000;

export interface BrowserOptions {
  /** 0: any that is free. */
  port: number;
  /** Whether to open a browser, or only to say where to. */
  open: boolean;
}

const random = (): string => randomBytes(32).toString('base64url');

/** Lets the user log in with the browser. Throws a UserError where it does not happen within five minutes. */
export async function loginByBrowser(issuer: Issuer, options: BrowserOptions): Promise<Login> {
  if (issuer.authorizationEndpoint === undefined)
    throw new UserError(`${issuer.issuer} has no authorization endpoint.`);
  const [verifier, state, nonce] = [random(), random(), random()];
  const redirect = await listen(options.port, state);
  try {
    const url = new URL(issuer.authorizationEndpoint);
    const asked = {
      response_type: 'code',
      client_id: issuer.clientId,
      redirect_uri: redirect.uri,
      scope: issuer.scopes.join(' '),
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    say(`Log in at ${url.href}`);
    if (options.open) openBrowser(url.href);
    const code = await redirect.code;
    const grant = { grant_type: 'authorization_code', code, redirect_uri: redirect.uri, code_verifier: verifier };
    const login = await tokens(issuer, grant);
    if (claimsOf(login.token)['nonce'] !== nonce)
      throw new UserError('the issuer answered to another login: try again.');
    return login;
  } finally {
    redirect.close();
  }
}

interface Redirect {
  uri: string;
  code: Promise<string>;
  close(): void;
}

/** Waits for the browser to come back with the state that it was sent away with. */
async function listen(port: number, state: string): Promise<Redirect> {
  const server = http.createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(new UserError(`no browser can come back to port ${port}: ${error.message}.`)),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  let timer: NodeJS.Timeout | undefined;
  const code = new Promise<string>((resolve, reject) => {
    timer = setTimeout(() => reject(new UserError('nobody has logged in within five minutes.')), WAIT_MS);
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1');
      // Other pages may send the browser here, too.
      if (pathname !== CALLBACK || searchParams.get('state') !== state) {
        response.writeHead(404).end();
        return;
      }
      const given = searchParams.get('code');
      const why = searchParams.get('error_description') ?? searchParams.get('error') ?? 'it gave no code';
      response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' });
      response.end(
        given === null
          ? 'The login failed; the terminal says more.\n'
          : 'You are logged in, and may close this window.\n',
      );
      if (given === null) reject(new UserError(`the issuer refused: ${why}.`));
      else resolve(given);
    });
  });
  // Whoever waits for it comes later.
  code.catch(() => {});
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}${CALLBACK}`;
  const close = (): void => {
    clearTimeout(timer);
    server.close();
    server.closeIdleConnections();
  };
  return { uri, code, close };
}

function openBrowser(url: string): void {
  const commands: Partial<Record<NodeJS.Platform, [string, ...string[]]>> = {
    darwin: ['open'],
    win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  };
  const [command, ...args] = commands[process.platform] ?? ['xdg-open'];
  // Where there is none, the user was told where to go.
  spawn(command, [...args, url], { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}
