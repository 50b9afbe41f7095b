/** Tables of the ResourceStore. Two rows a write: the object, and what it was before. Texts stand last, so that scans pass them by. */
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';

export const objects = sqliteTable('objects', {
  key: text('key').primaryKey(),
  resourceVersion: integer('resource_version').notNull(),
  uid: text('uid').notNull(),
  /** JSON, or null. */
  labels: text('labels'),
  fields: text('fields'),
  owners: text('owners'),
  text: text('text').notNull(),
});

export const log = sqliteTable('log', {
  resourceVersion: integer('resource_version').primaryKey(),
  /** When, in ms. */
  at: integer('at').notNull(),
  type: text('type').notNull(),
  key: text('key').notNull(),
  /** What the key held before; null where it held nothing. */
  previousVersion: integer('previous_version'),
  uid: text('uid'),
  labels: text('labels'),
  fields: text('fields'),
  owners: text('owners'),
  text: text('text'),
});
