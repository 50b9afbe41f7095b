/** The device flow (RFC 8628): the user logs in with a browser of any other machine. */
import { delay } from '../../agent/informer.ts';
import { UserError } from '../command.ts';
import { say } from '../progress.ts';
import { type Issuer, type Login, OAuthError, post, tokens } from './issuer.ts';

const GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
const DEFAULT_INTERVAL = 5;
const SLOWER = 5;
const DEFAULT_LIFE = 300;

/** Lets the user log in elsewhere. Throws a UserError where the issuer cannot, or the user does not. */
export async function loginByDevice(issuer: Issuer): Promise<Login> {
  if (issuer.deviceEndpoint === undefined)
    throw new UserError(`${issuer.issuer} has no device flow: log in without --device.`);
  const offer = await post(issuer.deviceEndpoint, issuer, { scope: issuer.scopes.join(' ') });
  const text = (key: string): string => (typeof offer[key] === 'string' ? offer[key] : '');
  const complete = text('verification_uri_complete');
  if (complete !== '') say(`Log in at ${complete} (the code there is ${text('user_code')})`);
  else say(`Log in at ${text('verification_uri')} with the code ${text('user_code')}`);
  let interval = typeof offer['interval'] === 'number' ? offer['interval'] : DEFAULT_INTERVAL;
  const life = typeof offer['expires_in'] === 'number' ? offer['expires_in'] : DEFAULT_LIFE;
  const deadline = Date.now() + life * 1000;
  while (Date.now() < deadline) {
    await delay(interval * 1000);
    try {
      return await tokens(issuer, { grant_type: GRANT, device_code: text('device_code') });
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      if (error.code === 'slow_down') interval += SLOWER;
      else if (error.code !== 'authorization_pending') throw error;
    }
  }
  throw new UserError('nobody has logged in before the code ended.');
}
