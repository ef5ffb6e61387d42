/**
 * What is used of drizzle-orm, loaded as CommonJS. Node reads the 447 exports of its package.json
 * anew for each of its modules where they are imported: that takes half a second and 200 MB at every
 * start, and a tenth of it this way.
 */

import { createRequire } from 'node:module';

// drizzle-kit bundles the schema as CommonJS, which knows a file name in place of a URL.
const require = createRequire(import.meta.url ?? __filename);

const core = require('drizzle-orm') as typeof import('drizzle-orm');
const tables = require('drizzle-orm/pg-core') as typeof import('drizzle-orm/pg-core');
const driver = require('drizzle-orm/node-postgres') as typeof import('drizzle-orm/node-postgres');
const migrator =
  require('drizzle-orm/node-postgres/migrator') as typeof import('drizzle-orm/node-postgres/migrator');

export const { and, asc, count, desc, eq, gt, gte, inArray, isNotNull, lt, lte, max, or, sql } =
  core;
export const {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} = tables;
export const { drizzle } = driver;
export const { migrate } = migrator;
