/** Cloudflare Access: its own client knows the user. */
import { execFile } from 'node:child_process';
import { UserError } from '../command.ts';
import type { Login } from './issuer.ts';

const MAX_WAIT_MS = 5 * 60_000;
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The token of the application at this URL; logs in with the browser where there is none. Throws a UserError without cloudflared. */
export async function loginByAccess(app: string): Promise<Login> {
  const kept = await cloudflared(['access', 'token', `-app=${app}`]);
  if (kept !== undefined) return { token: kept };
  await cloudflared(['access', 'login', app]);
  const token = await cloudflared(['access', 'token', `-app=${app}`]);
  if (token === undefined)
    throw new UserError(`cloudflared has no token for ${app}: is it an application of Cloudflare Access?`);
  return { token };
}

/** What cloudflared printed, if it is a token. */
function cloudflared(args: string[]): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    execFile('cloudflared', args, { timeout: MAX_WAIT_MS }, (error, stdout) => {
      if (error !== null && 'code' in error && error.code === 'ENOENT') {
        reject(
          new UserError(
            'cloudflared is missing: https://developers.cloudflare.com/cloudflare-one/ says how to install it.',
          ),
        );
      } else resolve(JWT.test(stdout.trim()) ? stdout.trim() : undefined);
    });
  });
}
