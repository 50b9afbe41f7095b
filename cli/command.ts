/** What a command of the command line is. */

import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ParseArgsConfig, parseArgs } from 'node:util';

export interface Command {
  name: string;
  /** One line, for the list of commands. */
  summary: string;
  /** The whole of `--help`, with examples. */
  help: string;
  /** Answers the exit code. */
  run(args: string[]): Promise<number>;
}

/** A failure that a person can do something about: printed as one sentence, without a stack. */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** The project's folder. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');

/** A path as the person means it: npm runs scripts in the project's folder, INIT_CWD is where the person stood. */
export function pathOf(path: string): string {
  return resolve(process.env['INIT_CWD'] ?? process.cwd(), path);
}

/** The text of a file that was named on the command line. Throws a UserError where it cannot be read. */
export async function readText(file: string): Promise<string> {
  try {
    return await readFile(pathOf(file), 'utf8');
  } catch (error) {
    throw new UserError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Parses a command's options; throws a UserError (exit code 2) for what it does not know. */
export function parseOptions<T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UserError(`${message.split('. ', 1)[0]}. See --help.`, 2);
  }
}
