/** Nodes that run tasks on one store, and everything that can go wrong with them. */

import { createLocalQueue } from '../tasks/local-queue.ts';
import type {
  AttemptNews,
  AttemptOutcome,
  EnginePool,
  TaskQueue,
  TaskStore,
} from '../tasks/ports.ts';
import { settleCallback } from '../tasks/settle-callback.ts';
import type { TaskRecord, TaskSpec } from '../tasks/task.ts';
import { createTaskKeeper, type TaskKeeper } from '../tasks/task-keeper.ts';
import { createTaskWorker, type TaskWorker } from '../tasks/task-worker.ts';
import { createRecordingOutbox, type RecordingOutbox } from './recording-outbox.ts';
import { createSilentLogger } from './silent-logger.ts';
import { aTask, keepTasks } from './task-fixtures.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** An attempt that an engine works on; a test says what comes of it. */
export interface ScriptedRun {
  readonly node: string;
  readonly task: TaskRecord;
  /** What it was given of the attempts before. */
  readonly checkpoint: string | undefined;
  /** True once its signal has asked it to stop. */
  readonly isStopped: boolean;
  tell(news: AttemptNews): void;
  end(outcome: AttemptOutcome): void;
}

/** What may happen to the words of a node, each asked when it matters. */
export interface Mishaps {
  /** A call to the store fails, before it was made or after it. */
  call?(node: string): 'works' | 'refused' | 'answer lost';
  /** An offer reaches nobody, or reaches them twice. */
  offer?(): 'works' | 'lost' | 'twice';
  /** A word that a task was taken is lost. */
  isWordLost?(): boolean;
}

/** One node. */
export interface ClusterNode {
  readonly name: string;
  readonly worker: TaskWorker;
  readonly logger: ReturnType<typeof createSilentLogger>;
  readonly isAlive: boolean;
  /** The process stands still: nothing it began goes on, nothing it hears is heard. */
  freeze(): void;
  thaw(): void;
  /** The process is gone. */
  kill(): void;
  /** The process is asked to go. */
  stop(graceMs: number): Promise<void>;
}

/** A cluster. */
export interface TaskCluster {
  readonly nodes: readonly ClusterNode[];
  /** Attempts that no engine has ended yet, on nodes that live. */
  readonly runs: readonly ScriptedRun[];
  /** How many attempts were begun. */
  readonly begun: number;
  readonly outbox: RecordingOutbox;
  /** Tasks of which a node has said that they are over. */
  readonly over: readonly string[];
  /** Tasks that were forgotten. */
  readonly forgotten: readonly string[];
  add(concurrency?: number): ClusterNode;
  /** Accepts a task and offers it; gives back its id, `task_1` for the first. */
  submit(changes?: Partial<TaskSpec>): Promise<string>;
}

/** What a cluster lives on. */
export interface TaskClusterOptions {
  readonly store: TaskStore;
  readonly clock: VirtualClock;
  readonly types: readonly string[];
  /** In [0, 1). */
  random(): number;
  readonly retentionMs?: number;
  readonly mishaps?: Mishaps;
  /** As of the worker; by default a start is told at once. */
  readonly startWaitMs?: number;
}

/** Something a node waits for that never comes once it is dead. */
const never = new Promise<never>(() => undefined);

/** Makes a cluster without nodes. */
export function createTaskCluster(options: TaskClusterOptions): TaskCluster {
  const { store, clock, types, random, mishaps = {} } = options;
  const nodes: ClusterNode[] = [];
  const queues = new Map<string, TaskQueue>();
  const runs = new Set<ScriptedRun>();
  const outbox = createRecordingOutbox();
  const over: string[] = [];
  const forgotten: string[] = [];
  let begun = 0;
  let submitted = 0;

  /** The queue of some node: with a queue that they share, any of them may get an offer. */
  function offer(type: string, atMs?: number): void {
    const reach = mishaps.offer?.() ?? 'works';
    const alive = nodes.filter(({ isAlive }) => isAlive);
    const taker = alive[Math.floor(random() * alive.length)];
    if (taker === undefined || reach === 'lost') return;
    void queues.get(taker.name)?.offer(type, reach === 'twice' ? 2 : 1, atMs);
  }

  function add(concurrency = 2): ClusterNode {
    const name = `n${nodes.length + 1}`;
    const logger = createSilentLogger();
    let isAlive = true;
    let thawed: PromiseWithResolvers<void> | undefined;

    /** Goes on when the process does. */
    async function awake(): Promise<void> {
      if (thawed !== undefined) await thawed.promise;
      if (!isAlive) await never;
    }

    async function call<T>(work: () => T | Promise<T>): Promise<T> {
      await awake();
      const luck = mishaps.call?.(name) ?? 'works';
      if (luck === 'refused') throw new Error('the store is away');
      const value = await work();
      await awake();
      if (luck === 'answer lost') throw new Error('the store is away');
      return value;
    }

    const alarm = (onDue: () => void) => clock.alarm(() => void awake().then(onDue));

    const gated: TaskStore = {
      submit: (submission) => call(() => store.submit(submission)),
      get: (id) => call(() => store.get(id)),
      getMany: (ids) => call(() => store.getMany(ids)),
      getBatch: (id) => call(() => store.getBatch(id)),
      claim: (type, node, limit, nowMs) => call(() => store.claim(type, node, limit, nowMs)),
      commit: (changes, by) => call(() => store.commit(changes, by)),
      checkpointOf: (id) => call(() => store.checkpointOf(id)),
      beat: (node, untilMs, its) => call(() => store.beat(node, untilMs, its)),
      leave: (node) => call(() => store.leave(node)),
      nodes: (nowMs) => call(() => store.nodes(nowMs)),
      liveTypes: (nowMs) => call(() => store.liveTypes(nowMs)),
      lost: (nowMs, limit) => call(() => store.lost(nowMs, limit)),
      listen: (node, taken) =>
        store.listen(node, (id) => {
          if (!(mishaps.isWordLost?.() ?? false)) void awake().then(() => taken(id));
        }),
      held: (node) => call(() => store.held(node)),
      read: (id, after, limit) => call(() => store.read(id, after, limit)),
      head: (id) => call(() => store.head(id)),
      watch: (id, hint) => store.watch(id, hint),
      counts: (nowMs) => call(() => store.counts(nowMs)),
      nextDueMs: (type) => call(() => store.nextDueMs(type)),
      owing: (limit) => call(() => store.owing(limit)),
      forget: (beforeMs, limit) => call(() => store.forget(beforeMs, limit)),
    };

    const local = createLocalQueue({ clock, alarm });
    const queue: TaskQueue = {
      ...local,
      offer: (type, count, atMs) =>
        call(() => {
          for (let at = 0; at < count; at += 1) offer(type, atMs);
        }),
    };
    queues.set(name, local);

    const pool: EnginePool = {
      run(task, signal, news, checkpoint) {
        begun += 1;
        return new Promise((resolve) => {
          let isStopped = false;
          const run: ScriptedRun = {
            node: name,
            task,
            checkpoint,
            get isStopped() {
              return isStopped;
            },
            tell: (told) => void awake().then(() => news(told)),
            end(outcome) {
              runs.delete(run);
              void awake().then(() => resolve(outcome));
            },
          };
          runs.add(run);
          const stop = () => {
            isStopped = true;
            run.end({ type: 'stopped' });
          };
          if (signal.aborted) stop();
          else signal.addEventListener('abort', stop);
        });
      },
      close: async () => undefined,
    };

    const settle = (record: TaskRecord) =>
      settleCallback({ store: gated, outbox: gatedOutbox }, record);
    const gatedOutbox = {
      enqueue: (callback: Parameters<RecordingOutbox['enqueue']>[0]) =>
        call(() => outbox.enqueue(callback)),
    };
    const isOverNow = async (record: TaskRecord) => {
      over.push(record.spec.id);
      await settle(record);
    };
    const worker = createTaskWorker({
      store: gated,
      queue,
      pool,
      node: name,
      types,
      concurrency,
      clock,
      alarm,
      random,
      logger,
      startWaitMs: options.startWaitMs ?? 0,
      over: isOverNow,
    });
    const keeper: TaskKeeper = createTaskKeeper({
      store: gated,
      queue,
      clock,
      alarm,
      random,
      logger,
      retentionMs: options.retentionMs ?? 86_400_000,
      over: isOverNow,
      settle,
      forgotten(records) {
        for (const { spec } of records) forgotten.push(spec.id);
      },
    });

    const node: ClusterNode = {
      name,
      worker,
      logger,
      get isAlive() {
        return isAlive;
      },
      freeze() {
        thawed ??= Promise.withResolvers();
      },
      thaw() {
        thawed?.resolve();
        thawed = undefined;
      },
      kill() {
        isAlive = false;
        thawed?.resolve();
        for (const run of [...runs]) if (run.node === name) runs.delete(run);
      },
      async stop(graceMs) {
        await worker.stop(graceMs);
        await keeper.stop();
        isAlive = false;
      },
    };
    nodes.push(node);
    void worker.start();
    void keeper.start();
    return node;
  }

  return {
    nodes,
    get runs() {
      return [...runs];
    },
    get begun() {
      return begun;
    },
    outbox,
    over,
    forgotten,
    add,
    async submit(changes = {}) {
      submitted += 1;
      const createdAtMs = clock.nowMs();
      const type = types[0] ?? 'ocr';
      const task = aTask(`task_${submitted}`, { type, createdAtMs, ...changes });
      await keepTasks(store, task);
      const { spec } = task;
      offer(spec.type);
      return spec.id;
    },
  };
}
