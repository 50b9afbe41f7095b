/** Makes what is derived and not committed: types of all kinds, and the OpenAPI documents. `--types` makes the types alone. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generateTypes } from './types.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** Writes only what has changed, so that nothing is built again for nothing. */
function write(path: string, content: string | Uint8Array): void {
  const file = join(root, path);
  try {
    if (readFileSync(file).equals(Buffer.from(content))) return;
  } catch {
    mkdirSync(dirname(file), { recursive: true });
  }
  writeFileSync(file, content);
}

for (const [name, content] of generateTypes()) write(`src/generated/types/${name}`, content);
if (!process.argv.includes('--types')) {
  const { generateOpenApi } = await import('./openapi.ts');
  for (const [name, content] of await generateOpenApi(root)) write(`dist/assets/openapi/${name}`, content);
}
