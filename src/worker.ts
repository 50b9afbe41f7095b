/** The whole Worker at a glance. */
import { app } from './api/app.ts';
import { type Auditor, auditorOf } from './api/audit/auditor.ts';
import type { Env } from './durable-objects/env.ts';
import { surroundings } from './durable-objects/surroundings.ts';
import { tickAll } from './durable-objects/tick.ts';

export { Cluster } from './durable-objects/cluster.ts';
export { ControllerManager } from './durable-objects/controller-manager.ts';
export { NodeSession } from './durable-objects/node-session.ts';
export { ResourceStore } from './durable-objects/resource-store.ts';
export { Scheduler } from './durable-objects/scheduler.ts';

/** The same for every request of an isolate: bindings never change while it lives. */
let given: { around: ReturnType<typeof surroundings>; auditor: Auditor | undefined } | undefined;

export default {
  fetch(request, env, execution): Response | Promise<Response> {
    given ??= { around: surroundings(env), auditor: auditorOf(env) };
    const { around, auditor } = given;
    return app.fetch(request, { around, auditor, execution });
  },
  async scheduled(_controller, env): Promise<void> {
    await tickAll(env);
  },
} satisfies ExportedHandler<Env>;

/** Where cron does not exist: a server on a private socket fires the tick by a request. */
export const cron = {
  async fetch(_request, env): Promise<Response> {
    await tickAll(env);
    return new Response('ok');
  },
} satisfies ExportedHandler<Env>;
