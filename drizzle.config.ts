import { defineConfig } from 'drizzle-kit';

/** `npx drizzle-kit generate` after a change of a Durable Object's tables; `CLASS` names the object. */
const name = process.env['CLASS'] ?? 'resource-store';

export default defineConfig({
  dialect: 'sqlite',
  driver: 'durable-sqlite',
  schema: `./src/durable-objects/schema/${name}.ts`,
  out: `./migrations/${name}`,
});
