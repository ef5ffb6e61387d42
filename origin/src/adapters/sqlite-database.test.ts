import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GatewayError } from '@headwater/shared/protocol/errors';
import { aNewSession } from '@headwater/shared/testing/session-fixtures';
import { describe, expect, it } from 'vitest';
import { withSqliteFolder } from '../testing/sqlite-folder.ts';
import { openSqliteDatabase, type SqliteDatabase } from './sqlite-database.ts';
import { createSqliteOutboxStore } from './sqlite-outbox-store.ts';
import { createSqliteSessionStores } from './sqlite-session-store.ts';
import { createSqliteSessionVault } from './sqlite-session-vault.ts';

const WRITER = join(import.meta.dirname, '..', 'testing', 'sqlite-writer.ts');

/** A process that writes to the folder until it is killed. */
function startWriter(folder: string) {
  const child = spawn(process.execPath, [WRITER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  let last = -1;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    last = Number(line);
  });
  const ended = once(lines, 'close');
  return {
    /** Waits until the process has said that so many ends are kept. */
    async wrote(count: number) {
      while (last + 1 < count) await once(lines, 'line');
    },
    /** Kills it in mid-write; gives the number of the last end that it said is kept. */
    async kill() {
      child.kill('SIGKILL');
      await Promise.all([exited, ended]);
      return last;
    },
  };
}

function faultOf(run: () => unknown): GatewayError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

/** The whole tells what became of its parts. */
function forgo(part: unknown): void {
  if (part instanceof Promise) part.catch(() => undefined);
}

const aDelivery = (id: string) => ({
  id,
  url: 'https://n8n.example/',
  body: '{}',
  status: 'pending' as const,
  attempts: 0,
  createdAtMs: 0,
  nextAttemptAtMs: 0,
});

const countOf = (database: SqliteDatabase, table: string): number =>
  Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n']);

describe('the embedded database', () => {
  it('DATA-1: is made where it is missing, for its owner alone', () =>
    withSqliteFolder(({ folder }) => {
      const deep = join(folder, 'a', 'b');
      openSqliteDatabase(deep).close();
      expect(statSync(deep).mode & 0o777).toBe(0o700);
      expect(statSync(join(deep, 'headwater.sqlite')).mode & 0o777).toBe(0o600);
    }));

  it(
    'DATA-2: after `kill -9` in mid-write every end that was kept is whole, and no other one half',
    () =>
      withSqliteFolder(async ({ folder, open }) => {
        const writer = startWriter(folder);
        await writer.wrote(50);
        const last = await writer.kill();
        const database = open();
        expect(database.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
        const vault = createSqliteSessionVault(database, 'msg_');
        const outbox = createSqliteOutboxStore(database);
        for (let index = 0; index <= last; index += 1) {
          expect(await vault.store(`s${index}`).load()).toMatchObject({ status: 'completed' });
          expect(await vault.keeper(`s${index}`).load()).toMatchObject({ epoch: 7 });
          expect(await outbox.get(`msg_s${index}`)).toMatchObject({ status: 'pending' });
        }
        const kept = ['sessions', 'sealed_logs', 'outbox'].map((table) => countOf(database, table));
        expect(new Set(kept).size).toBe(1);
        expect(kept[0]).toBeGreaterThanOrEqual(last + 1);
      }),
    30_000,
  );

  it(
    'DATA-3: a second process is refused with one sentence, and let in when the first was killed',
    () =>
      withSqliteFolder(async ({ folder, open }) => {
        const writer = startWriter(folder);
        await writer.wrote(1);
        const fault = faultOf(open);
        expect(fault.code).toBe('unavailable');
        expect(fault.message).toMatch(/^DATA_DIR belongs to an origin that is running: [^.]+\.$/);
        await writer.kill();
        expect(countOf(open(), 'sessions')).toBeGreaterThan(0);
      }),
    30_000,
  );

  it('DATA-3: a folder that is let go can be opened again', () =>
    withSqliteFolder(({ folder, open }) => {
      open();
      expect(faultOf(() => openSqliteDatabase(folder)).message).toMatch(/^DATA_DIR belongs to/);
      open();
    }));

  it('DATA-4: a folder that cannot be used is named by its setting, not by its path', () =>
    withSqliteFolder(({ folder }) => {
      const file = join(folder, 'file');
      writeFileSync(file, '');
      const damaged = join(folder, 'damaged');
      mkdirSync(damaged);
      writeFileSync(join(damaged, 'headwater.sqlite'), 'no database at all '.repeat(100));
      for (const [path, message] of [
        [file, /^DATA_DIR cannot be written/],
        [join(file, 'below'), /^DATA_DIR cannot be written/],
        [damaged, /^DATA_DIR has a headwater\.sqlite that is not a whole database/],
      ] as const) {
        const fault = faultOf(() => openSqliteDatabase(path));
        expect(fault.code).toBe('unavailable');
        expect(fault.message).toMatch(message);
        expect(fault.message).not.toContain(folder);
      }
    }));

  it('DATA-5: a full disk is `unavailable`, says so, and loses nothing that was kept', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const outbox = createSqliteOutboxStore(database);
      const delivery = (id: string, body: string, nextAttemptAtMs = 0) => ({
        id,
        url: 'https://n8n.example/',
        body,
        status: 'pending' as const,
        attempts: 0,
        createdAtMs: 0,
        nextAttemptAtMs,
      });
      await outbox.add(delivery('m1', '{}', 5));
      const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count']);
      database.prepare(`PRAGMA max_page_count = ${pages + 2}`).get();
      const fault = faultOf(() =>
        database.transact(() => {
          void outbox.add(delivery('m2', '{}'));
          void outbox.add(delivery('m3', 'x'.repeat(100_000)));
        }),
      );
      expect(fault.code).toBe('unavailable');
      expect(fault.message).toMatch(/disk of DATA_DIR is full/);
      expect(await outbox.get('m2')).toBeUndefined();
      expect(await outbox.nextDueMs()).toBe(5);
      const claims = await outbox.claim(10, 60_000, 9);
      expect(claims.map(({ state }) => state.id)).toEqual(['m1']);
      expect(await outbox.add(delivery('m2', '{}'))).toBe(true);
    }));

  it('DATA-5: a statement that fails for another reason is `processing_failed`', () =>
    withSqliteFolder(({ open }) => {
      const database = open();
      const insert = database.prepare("INSERT INTO outbox VALUES ('m1', 'secret', 0, 1, '')");
      insert.run();
      const fault = faultOf(() => insert.run());
      expect(fault.code).toBe('processing_failed');
      expect(fault.message).not.toContain('secret');
    }));
});

describe('a transaction', () => {
  const INSERT = 'INSERT INTO sealed_logs (id, epoch, events) VALUES (?, 1, ?)';

  it('DATA-6: keeps all of it, and then tells who waits for it', () =>
    withSqliteFolder(({ open }) => {
      const database = open();
      const insert = database.prepare(INSERT);
      const told: number[] = [];
      const result = database.transact(() => {
        insert.run('a', '[]');
        database.afterCommit(() => told.push(countOf(database, 'sealed_logs')));
        database.transact(() => insert.run('b', '[]'));
        expect(told).toEqual([]);
        return 'done';
      });
      expect(result).toBe('done');
      expect(told).toEqual([2]);
      database.afterCommit(() => told.push(3));
      expect(told).toEqual([2, 3]);
    }));

  it('DATA-6: that fails keeps nothing, tells nobody, and the next one works', () =>
    withSqliteFolder(({ open }) => {
      const database = open();
      const insert = database.prepare(INSERT);
      const told: string[] = [];
      const failing = () =>
        database.transact(() => {
          insert.run('a', '[]');
          database.afterCommit(() => told.push('lost'));
          throw new Error('no');
        });
      expect(failing).toThrow('no');
      expect(countOf(database, 'sealed_logs')).toBe(0);
      database.transact(() => insert.run('a', '[]'));
      expect(countOf(database, 'sealed_logs')).toBe(1);
      expect(told).toEqual([]);
    }));
});

describe('an end that is kept as one', () => {
  const body = (database: SqliteDatabase) => {
    const vault = createSqliteSessionVault(database, 'msg_');
    const outbox = createSqliteOutboxStore(database);
    return (streamId: string, before?: () => void) =>
      vault.asOne(() => {
        forgo(vault.keeper(streamId).keep({ epoch: 1, events: [] }));
        before?.();
        forgo(vault.store(streamId).save({ ...aNewSession(1, {}), status: 'completed' }));
        forgo(outbox.add(aDelivery(`msg_${streamId}`)));
      });
  };
  const kept = (database: SqliteDatabase) =>
    ['sessions', 'sealed_logs', 'outbox'].map((table) => countOf(database, table));

  it('STREAM-7, DATA-6: is there at once where nobody shares the commit', () =>
    withSqliteFolder(({ open }) => {
      const database = open();
      expect(body(database)('a')).toBeUndefined();
      expect(kept(database)).toEqual([1, 1, 1]);
    }));

  it('STREAM-7, DATA-6: shares a commit under load, and one that fails harms no other of it', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const end = body(database);
      expect(end('a')).toBeUndefined();
      const refuse = () => {
        throw new Error('no');
      };
      const ends = [end('b'), end('c', refuse), end('d')];
      const outcomes = await Promise.allSettled(ends);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(kept(database)).toEqual([3, 3, 3]);
      const outbox = createSqliteOutboxStore(database);
      expect(await outbox.get('msg_c')).toBeUndefined();
    }));

  it('DATA-6: fails where one of its writes did, also where that is kept from it', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const end = body(database);
      const failUnheard = () => {
        const refuse = () => {
          throw new Error('no');
        };
        expect(() => database.group(refuse)).toThrow('no');
      };
      expect(() => end('a', failUnheard)).toThrow('no');
      expect(kept(database)).toEqual([0, 0, 0]);
      const outcomes = await Promise.allSettled([end('b'), end('c', failUnheard)]);
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
      expect(kept(database)).toEqual([1, 1, 1]);
    }));

  it('DATA-5, DATA-6: of one during which the disk is full nothing is left, nor of who shared with it', () =>
    withSqliteFolder(async ({ open }) => {
      const database = open();
      const end = body(database);
      expect(end('a')).toBeUndefined();
      // As SQLite does by itself where the disk is full.
      const fill = () => database.prepare('ROLLBACK').run();
      const outcomes = await Promise.allSettled([end('b'), end('c', fill)]);
      for (const outcome of outcomes) {
        expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
      }
      expect(kept(database)).toEqual([1, 1, 1]);
      await end('d');
      expect(kept(database)).toEqual([2, 2, 2]);
    }));
});

describe('kept sessions', () => {
  it('STREAM-16: are found by whether they live, and by the end of their retention', async () => {
    await withSqliteFolder(async ({ open }) => {
      const database = open();
      const stores = createSqliteSessionStores(database, 'msg_');
      const outbox = createSqliteOutboxStore(database);
      const state = aNewSession(1_000, {});
      await stores.of('waits').save(state);
      await stores.of('answers').save({ ...state, status: 'streaming', wakeAtMs: 0 });
      await stores.of('late').save({ ...state, status: 'completed', wakeAtMs: 200 });
      await stores.of('early').save({ ...state, status: 'failed', wakeAtMs: 100 });
      await stores.of('kept').save({ ...state, status: 'completed', wakeAtMs: 301 });
      await stores.of('tells').save({ ...state, status: 'completed', wakeAtMs: 50 });
      await outbox.add({
        id: 'msg_tells',
        url: 'https://n8n.example/',
        body: '{}',
        status: 'pending',
        attempts: 0,
        createdAtMs: 0,
        nextAttemptAtMs: 0,
      });
      expect([...stores.live()].sort()).toEqual(['answers', 'waits']);
      expect(stores.overdue(300, 10)).toEqual(['early', 'late']);
      expect(stores.overdue(300, 1)).toEqual(['early']);
      const [claim] = await outbox.claim(0, 60_000, 1);
      if (claim === undefined) throw new Error('nothing was claimed');
      await outbox.put({ ...claim.state, status: 'delivered' }, claim.token);
      expect(stores.overdue(300, 1)).toEqual(['tells']);
    });
  });
});
