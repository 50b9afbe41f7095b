/** Progress on a terminal, plain lines elsewhere. */

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const tty = process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined;
const paint = (code: number, text: string): string => (tty ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Text for a terminal, faint; plain where colours are not wanted. */
export const dim = (text: string): string => paint(2, text);
/** Text for a terminal, bold. */
export const bold = (text: string): string => paint(1, text);
/** Text for a terminal, green. */
export const green = (text: string): string => paint(32, text);

/** Runs a step under its name; says how long it took when that was worth saying. */
export async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
  const started = Date.now();
  let frame = 0;
  const draw = (): void => {
    process.stderr.write(`\r${FRAMES[frame++ % FRAMES.length]} ${name} …\u001b[K`);
  };
  const timer = tty ? setInterval(draw, 80) : undefined;
  try {
    const result = await run();
    const took = Date.now() - started;
    const time = took < 300 ? '' : dim(` ${(took / 1000).toFixed(1)} s`);
    process.stderr.write(`${tty ? '\r\u001b[K' : ''}${green('✓')} ${name}${time}\n`);
    return result;
  } catch (error) {
    process.stderr.write(`${tty ? '\r\u001b[K' : ''}✗ ${name}\n`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** A line of its own between steps. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
