import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { createSilentLogger } from '@headwater/shared/testing/silent-logger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWithDatabases } from '../testing/describe-with-databases.ts';
import { makeEmbeddedFolder } from '../testing/embedded-folder.ts';
import { postgresMissing, startPostgres } from '../testing/postgres-server.ts';
import type { Database } from './database.ts';
import { isDuplicate } from './database-fault.ts';
import { openDatabase } from './open-database.ts';
import { sql } from './orm.ts';
import { createPooledDatabase } from './pooled-database.ts';

/** The one number of a query. */
async function numberOf(database: Database, query: string): Promise<number> {
  const { rows } = await database.use((db) => db.execute(sql.raw(query)));
  return Number(Object.values(rows[0] ?? {})[0]);
}

describeWithDatabases('a database', (database, kind) => {
  it('DB-2: has its tables in a schema of its own', async () => {
    const { rows } = await database().use((db) =>
      db.execute(
        sql`select table_name from information_schema.tables where table_schema = 'headwater'`,
      ),
    );
    expect(rows.map(({ table_name: name }) => name)).toContain('migrations');
    expect(await numberOf(database(), 'select count(*) from headwater.migrations')).toBeGreaterThan(
      0,
    );
  });

  it('DB-3: keeps all of a transaction, or nothing of it', async () => {
    const table = `all_or_nothing_${kind}`;
    await database().use((db) => db.execute(sql.raw(`create table ${table} (n int primary key)`)));
    const failing = database().transaction(async (db) => {
      await db.execute(sql.raw(`insert into ${table} values (1)`));
      await db.execute(sql.raw(`insert into ${table} values (1)`));
    });
    await expect(failing).rejects.toSatisfy(isDuplicate);
    expect(await numberOf(database(), `select count(*) from ${table}`)).toBe(0);
    await database().transaction((db) => db.execute(sql.raw(`insert into ${table} values (1)`)));
    expect(await numberOf(database(), `select count(*) from ${table}`)).toBe(1);
  });

  it('DB-3: lets others wait for a transaction, and mixes nothing of theirs into it', async () => {
    const table = `apart_${kind}`;
    await database().use((db) => db.execute(sql.raw(`create table ${table} (n int)`)));
    const held = Promise.withResolvers<void>();
    const rolledBack = database().transaction(async (db) => {
      await db.execute(sql.raw(`insert into ${table} values (1)`));
      await held.promise;
      throw new Error('no');
    });
    const others = Array.from({ length: 20 }, (_, n) =>
      database().use((db) => db.execute(sql.raw(`insert into ${table} values (${n + 10})`))),
    );
    held.resolve();
    await expect(rolledBack).rejects.toThrow('no');
    await Promise.all(others);
    expect(await numberOf(database(), `select count(*) from ${table}`)).toBe(20);
  });

  it('DB-4: tells a refusal of the data without the values of the query', async () => {
    const secret = 'the text of a prompt';
    const thrown: unknown = await database()
      .use((db) => db.execute(sql`select ${secret}::int`))
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: '22P02' });
    const refused: unknown = await database()
      .use((db) => db.execute(sql`select ${secret} from nowhere`))
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: '42P01' });
    expect(String((refused as Error).message)).not.toContain(secret);
  });

  it('DB-9: a text that no database keeps is a fault of the request', async () => {
    const refused = database().use((db) => db.execute(sql`select ${'a\0secret'}::text`));
    await expect(refused).rejects.toMatchObject({
      code: 'validation_failed',
      message: expect.not.stringContaining('secret'),
    });
    const within = database().transaction((db) => db.execute(sql`select ${'\0'}::text`));
    await expect(within).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('DB-5: says whether vectors can be kept', async () => {
    const hasVectors = await database().hasVectors();
    expect(database().look()).toEqual({ kind, state: 'open', hasVectors });
    if (kind === 'embedded') expect(hasVectors).toBe(true);
    const types = await numberOf(
      database(),
      "select count(*) from pg_type where typname = 'vector'",
    );
    expect(types).toBe(hasVectors ? 1 : 0);
  });

  it('DB-1: applies each migration once, whoever starts at the same time', async () => {
    const before = await numberOf(database(), 'select count(*) from headwater.migrations');
    if (kind === 'postgres') {
      const { rows } = await database().use((db) =>
        db.execute(sql`select current_database() as name, inet_server_port() as port`),
      );
      const { name, port } = rows[0] as { name: string; port: number };
      const url = `postgres://headwater@127.0.0.1:${port}/${name}`;
      const others = [1, 2, 3].map(() =>
        createPooledDatabase({ kind: 'postgres', url }, createSilentLogger()),
      );
      await Promise.all(others.map((other) => other.hasVectors()));
      await Promise.all(others.map((other) => other.close()));
    }
    expect(await numberOf(database(), 'select count(*) from headwater.migrations')).toBe(before);
  });
});

describe('the embedded database', () => {
  let folder: string;
  const settings = () => ({ dataDir: folder });

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'headwater-embedded-'));
    await makeEmbeddedFolder(join(folder, 'postgres'));
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('DB-6: is there after a restart', async () => {
    const first = openDatabase(settings(), createSilentLogger());
    await first.use((db) => db.execute(sql`create table kept (n int)`));
    await first.use((db) => db.execute(sql`insert into kept values (7)`));
    await first.close();
    const second = openDatabase(settings(), createSilentLogger());
    expect(await numberOf(second, 'select n from kept')).toBe(7);
    await second.close();
    await expect(second.use((db) => db.execute(sql`select 1`))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });

  it('DB-6: is made by its first use alone, and by nobody who never needs it', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'headwater-unused-'));
    const unused = openDatabase({ dataDir: empty }, createSilentLogger());
    expect(unused.look()).toEqual({ kind: 'embedded', state: 'closed' });
    await unused.close();
    expect(await readdir(empty)).toEqual([]);
    await rm(empty, { recursive: true });
  });

  it('DB-6: is made as a whole: what a crash left of the making is no database', async () => {
    const torn = await mkdtemp(join(tmpdir(), 'headwater-torn-'));
    await mkdir(join(torn, 'postgres.draft', 'base'), { recursive: true });
    await writeFile(join(torn, 'postgres.draft', 'PG_VERSION'), '18');
    const database = openDatabase({ dataDir: torn }, createSilentLogger());
    expect(await numberOf(database, 'select 1')).toBe(1);
    expect(await readdir(torn)).toEqual(['postgres']);
    await database.close();
    await rm(torn, { recursive: true });
  }, 60_000);

  it('DB-7: a folder that cannot be used costs `unavailable`, and is tried again', async () => {
    const logger = createSilentLogger();
    const file = join(folder, 'a-file');
    await writeFile(file, '');
    const broken = createPooledDatabase({ kind: 'embedded', dataDir: join(file, 'x') }, logger);
    for (let time = 0; time < 2; time += 1) {
      await expect(broken.hasVectors()).rejects.toMatchObject({ code: 'unavailable' });
    }
    expect(broken.look().state).toBe('away');
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
    await broken.close();
  });
});

describe.skipIf(postgresMissing() !== undefined)('a server that dies', () => {
  it('HEALTH-4: is said to be away from the first failed use until one succeeds', async () => {
    const server = await startPostgres();
    const place = { kind: 'postgres', url: await server.createDatabase() } as const;
    const database = createPooledDatabase(place, createSilentLogger());
    const use = () => database.use((db) => db.execute(sql`select 1`));
    await use();
    expect(database.look().state).toBe('open');
    await server.kill();
    await expect(use()).rejects.toMatchObject({ code: 'unavailable' });
    expect(database.look()).toMatchObject({ state: 'away' });
    await expect(
      database.use(async () => {
        throw new GatewayError('unavailable', 'of the caller');
      }),
    ).rejects.toThrow('of the caller');
    await server.restart();
    await use();
    expect(database.look().state).toBe('open');
    await database.close();
    await server.stop();
  }, 60_000);
});

describe.skipIf(postgresMissing() !== undefined)('a server that dies in a transaction', () => {
  it('DB-4: costs that transaction, also between two of its queries', async () => {
    const server = await startPostgres();
    const place = { kind: 'postgres', url: await server.createDatabase() } as const;
    const logger = createSilentLogger();
    const database = createPooledDatabase(place, logger);
    const cut = database.transaction(async (db) => {
      await db.execute(sql`select 1`);
      await server.kill();
      // Whoever is told of the broken line is told before this.
      const other = () => database.use((some) => some.execute(sql`select 1`));
      await expect(other()).rejects.toMatchObject({ code: 'unavailable' });
      await db.execute(sql`select 2`);
    });
    await expect(cut).rejects.toMatchObject({ code: 'unavailable' });
    await server.restart();
    expect(await numberOf(database, 'select 3')).toBe(3);
    await database.close();
    await server.stop();
  }, 60_000);
});

describe('a database with tables of something else', () => {
  it('DB-7: costs `unavailable` as well', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'headwater-database-'));
    const place = { kind: 'embedded', dataDir: join(parent, 'postgres') } as const;
    await makeEmbeddedFolder(place.dataDir);
    const first = createPooledDatabase(place, createSilentLogger());
    await first.use((db) => db.execute(sql.raw('truncate headwater.migrations')));
    await first.close();
    const logger = createSilentLogger();
    const database = createPooledDatabase(place, logger);
    await expect(database.hasVectors()).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The database cannot be opened. The log of the gateway says why.',
    });
    expect(logger.lines.filter(({ level }) => level === 'error')).toHaveLength(1);
    await database.close();
    await rm(parent, { recursive: true, force: true });
  }, 60_000);
});

describe('a cluster without DATABASE_URL', () => {
  it('DB-8: has no database, and says what to set', async () => {
    const none = openDatabase({ redisUrl: 'redis://x', dataDir: 'd' }, createSilentLogger());
    await expect(none.use(async () => 1)).rejects.toThrow('Set DATABASE_URL.');
    expect(none.look()).toEqual({ kind: 'none', state: 'closed' });
    await none.close();
  });
});
