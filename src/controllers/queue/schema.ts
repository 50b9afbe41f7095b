/** Tables of the ControllerManager object. */
import { integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/** Keys that are owed work. `not_before` in ms since the epoch; `attempts` that failed in a row. */
export const queue = sqliteTable(
  'queue',
  {
    controller: text('controller').notNull(),
    key: text('key').notNull(),
    notBefore: integer('not_before').notNull(),
    attempts: integer('attempts').notNull(),
  },
  (table) => [primaryKey({ columns: [table.controller, table.key] })],
);

/** Up to which resourceVersion the changes of a store are in the queue or done. */
export const cursors = sqliteTable('cursors', {
  store: text('store').primaryKey(),
  resourceVersion: integer('resource_version').notNull(),
});

/** Owner kinds, and the resources in which dependents of theirs were seen. */
export const owned = sqliteTable(
  'owned',
  {
    kind: text('kind').notNull(),
    resource: text('resource').notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.resource] })],
);
