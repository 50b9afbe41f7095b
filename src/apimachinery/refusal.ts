/** What upstream's client makes of an answer that says no, and is no Status (`NewGenericServerResponse`). */

const REFUSALS: Record<number, string> = {
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
};

/** The client's words for an HTTP status; `text`: the answer's body. */
export function refusalOf(status: number, text: string): string {
  const known = REFUSALS[status];
  if (known !== undefined) return known;
  if (status === 403 || status === 500) {
    const said = text.trim().slice(0, 2048) || 'unknown';
    return status === 403
      ? `forbidden: ${said}`
      : `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding`;
  }
  return `the server responded with the status code ${status} but did not return more information`;
}
