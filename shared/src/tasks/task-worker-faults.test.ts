import { describe, expect, it } from 'vitest';
import { createTaskBench, settleTasks } from '../testing/task-bench.ts';
import { createTaskCluster } from '../testing/task-cluster.ts';
import { createVirtualClock } from '../testing/virtual-clock.ts';
import { changeTask } from './change-task.ts';
import { createMemoryTaskStore } from './memory-task-store.ts';
import type { TaskChange, TaskStore } from './ports.ts';

const DONE = { type: 'succeeded', result: { words: 3 } } as const;

describe('calls to the store', () => {
  it('TASK-70: a checkpoint that cannot be read costs no attempt: the task waits until it can', async () => {
    const clock = createVirtualClock();
    const kept = createMemoryTaskStore();
    let refuses = true;
    const store: TaskStore = {
      ...kept,
      checkpointOf(id) {
        if (refuses) throw new Error('the store is away');
        return kept.checkpointOf(id);
      },
    };
    const cluster = createTaskCluster({ store, clock, types: ['ocr'], random: () => 0 });
    cluster.add();
    const id = await cluster.submit();
    await settleTasks();
    cluster.runs[0]?.tell({ type: 'checkpoint', checkpoint: '1' });
    cluster.runs[0]?.end({ type: 'crashed', reason: 'The engine process ended.' });
    for (let ms = 0; ms < 20_000; ms += 50) {
      await clock.advance(50);
      await settleTasks();
    }
    expect(cluster.begun).toBe(1);
    expect((await kept.get(id))?.state).toMatchObject({ status: 'queued', attempts: 1 });
    refuses = false;
    for (let ms = 0; ms < 10_000; ms += 50) {
      await clock.advance(50);
      await settleTasks();
    }
    expect(cluster.runs[0]?.checkpoint).toBe('1');
    expect((await kept.get(id))?.state).toMatchObject({ status: 'running', attempts: 2 });
  });

  it('TASK-11: what happens in one turn is one claim and one commit', async () => {
    const bench = createTaskBench();
    bench.cluster.add(8);
    await settleTasks();
    const ids: string[] = [];
    for (let at = 0; at < 8; at += 1) ids.push(await bench.cluster.submit());
    await settleTasks();
    for (const run of bench.cluster.runs) run.end(DONE);
    bench.commits.length = 0;
    await settleTasks();
    expect(bench.commits.map(({ length }) => length)).toEqual([8]);
    for (const id of ids) expect((await bench.state(id)).status).toBe('succeeded');
  });

  it('TASK-11: what happens while a commit is under way goes with the next one, as one change a task', async () => {
    const clock = createVirtualClock();
    const kept = createMemoryTaskStore();
    const commits: (readonly TaskChange[])[] = [];
    let gate = Promise.withResolvers<void>();
    const store: TaskStore = {
      ...kept,
      async commit(changes, by) {
        commits.push(changes);
        await gate.promise;
        return kept.commit(changes, by);
      },
    };
    const cluster = createTaskCluster({ store, clock, types: ['ocr'], random: () => 0 });
    cluster.add(3);
    await settleTasks();
    const first = await cluster.submit();
    await settleTasks();
    const second = await cluster.submit();
    await settleTasks();
    expect(cluster.runs).toHaveLength(2);
    for (const run of cluster.runs) run.end(DONE);
    await settleTasks();
    expect(commits).toHaveLength(1);
    gate.resolve();
    gate = Promise.withResolvers();
    gate.resolve();
    await settleTasks();
    expect(commits.map(({ length }) => length)).toEqual([1, 2]);
    const whole = commits[1]?.find(({ before }) => before.spec.id === second);
    expect(whole?.state).toMatchObject({ version: 2, status: 'succeeded', attempts: 1 });
    expect(whole?.events.map(({ type }) => type)).toEqual(['progress', 'done']);
    for (const id of [first, second]) {
      expect((await kept.get(id))?.state.status).toBe('succeeded');
    }
  });

  it('TASK-11: one claim is for at most half of the hands', async () => {
    const bench = createTaskBench();
    for (let at = 0; at < 16; at += 1) await bench.cluster.submit();
    bench.cluster.add(16);
    await bench.pass(3_000);
    expect(bench.cluster.runs).toHaveLength(16);
    expect(Math.max(...bench.claims)).toBe(8);
  });

  it('TASK-11: an attempt that ends within 5 ms is one commit, and one that goes on is told after them', async () => {
    const clock = createVirtualClock();
    const kept = createMemoryTaskStore();
    const commits: (readonly TaskChange[])[] = [];
    const store: TaskStore = {
      ...kept,
      commit(changes, by) {
        commits.push(changes);
        return kept.commit(changes, by);
      },
    };
    const options = { store, clock, types: ['ocr'], random: () => 0, startWaitMs: 5 };
    const cluster = createTaskCluster(options);
    cluster.add(2);
    await settleTasks();
    const [short, long] = [await cluster.submit(), await cluster.submit()];
    await settleTasks();
    const stateOf = async (id: string) => (await kept.get(id))?.state;
    await clock.advance(4);
    await settleTasks();
    expect(commits).toEqual([]);
    cluster.runs.find(({ task }) => task.spec.id === short)?.end(DONE);
    await settleTasks();
    expect(commits.map(({ length }) => length)).toEqual([1]);
    expect(await stateOf(short)).toMatchObject({ status: 'succeeded', version: 2, attempts: 1 });
    expect((await stateOf(long))?.status).toBe('queued');
    await clock.advance(1);
    await settleTasks();
    expect(await stateOf(long)).toMatchObject({ status: 'running', version: 2, attempts: 1 });
  });

  it('TASK-6: a hand goes on once its engine is through, while no more ends than hands wait to be kept', async () => {
    const clock = createVirtualClock();
    const kept = createMemoryTaskStore();
    const gate = Promise.withResolvers<void>();
    const store: TaskStore = {
      ...kept,
      async commit(changes, by) {
        if (changes.some(({ state }) => state.status === 'succeeded')) await gate.promise;
        return kept.commit(changes, by);
      },
    };
    const cluster = createTaskCluster({ store, clock, types: ['ocr'], random: () => 0 });
    const node = cluster.add(1);
    await settleTasks();
    for (let at = 0; at < 3; at += 1) await cluster.submit();
    await settleTasks();
    expect(cluster.begun).toBe(1);
    cluster.runs[0]?.end(DONE);
    await settleTasks();
    expect(cluster.begun).toBe(2);
    cluster.runs[0]?.end(DONE);
    await settleTasks();
    expect(cluster.begun).toBe(2);
    expect(node.worker.running).toBe(2);
    gate.resolve();
    await settleTasks();
    expect(cluster.begun).toBe(3);
    cluster.runs[0]?.end(DONE);
    await settleTasks();
    expect(cluster.over).toHaveLength(3);
  });

  it('TASK-11: a commit whose answer was lost is known again: nothing is told twice', async () => {
    let isForgetful = false;
    const bench = createTaskBench({ call: () => (isForgetful ? 'answer lost' : 'works') });
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    isForgetful = true;
    bench.run().tell({ type: 'text', text: 'once' });
    await settleTasks();
    bench.run().tell({ type: 'text', text: ' and twice' });
    isForgetful = false;
    await bench.pass(1_000);
    bench.run().end(DONE);
    await settleTasks();
    expect((await bench.state(id)).status).toBe('succeeded');
    const texts = (await bench.events(id)).flatMap((it) => (it.type === 'delta' ? [it.text] : []));
    expect(texts.join('')).toBe('once and twice');
    expect(bench.cluster.begun).toBe(1);
  });

  it('TASK-11: a start that the store refused is kept later, with the end that came in between', async () => {
    let isAway = false;
    const bench = createTaskBench({ call: () => (isAway ? 'refused' : 'works') });
    bench.cluster.add();
    await settleTasks();
    const submitting = bench.cluster.submit();
    while (bench.cluster.runs.length === 0) await settleTasks(1);
    isAway = true;
    await settleTasks();
    const id = await submitting;
    expect((await bench.state(id)).status).toBe('queued');
    bench.run().end(DONE);
    await bench.pass(300);
    isAway = false;
    await bench.pass(600);
    expect(await bench.state(id)).toMatchObject({ status: 'succeeded', version: 3, attempts: 1 });
    await bench.pass(5_000);
    expect(bench.cluster.begun).toBe(1);
  });

  it('TASK-9: a store that is away costs no attempt, and is named once', async () => {
    let isAway = false;
    const bench = createTaskBench({ call: () => (isAway ? 'refused' : 'works') });
    const node = bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    isAway = true;
    await bench.pass(20_000);
    bench.run().end(DONE);
    await bench.pass(1_000);
    isAway = false;
    await bench.pass(1_000);
    expect(await bench.state(id)).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(bench.cluster.begun).toBe(1);
    const lines = node.logger.lines.map(({ level, message }) => `${level} ${message}`);
    expect(lines.sort()).toEqual([
      'error task keeper: the task store refuses, and is asked again',
      'error task worker: the task store refuses, and is asked again',
      'info task keeper: the task store is back',
      'info task worker: the task store is back',
    ]);
  });

  it('TASK-10: a claim whose answer was lost is given back, and no attempt is counted', async () => {
    let isForgetful = false;
    const bench = createTaskBench({ call: () => (isForgetful ? 'answer lost' : 'works') });
    bench.cluster.add();
    await settleTasks();
    isForgetful = true;
    const id = await bench.cluster.submit();
    await settleTasks();
    isForgetful = false;
    expect(await bench.store.held('n1')).toEqual([id]);
    expect(bench.cluster.begun).toBe(0);
    await bench.pass(3_100);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 1 });
  });
});

describe('nodes that are lost', () => {
  it('TASK-9: a task of a node that died goes on elsewhere within 7 s, and its attempt counts', async () => {
    const bench = createTaskBench();
    const first = bench.cluster.add();
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    bench.cluster.add();
    await bench.pass(500);
    first.kill();
    await bench.pass(7_000);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 2, node: 'n2' });
  });

  it('TASK-9: a node that stood still stops what others have taken, and goes on with the rest', async () => {
    const bench = createTaskBench();
    const first = bench.cluster.add(1);
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const run = bench.run();
    bench.cluster.add(1);
    first.freeze();
    await bench.pass(8_000);
    expect(await bench.state(id)).toMatchObject({ node: 'n2', attempts: 2 });
    run.end(DONE);
    first.thaw();
    await bench.pass(1_200);
    expect(await bench.state(id)).toMatchObject({ node: 'n2', status: 'running' });
    expect(first.worker.running).toBe(0);
    bench.run().end({ type: 'succeeded', result: 'the second' });
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'succeeded', result: 'the second' });
    expect(bench.cluster.over).toEqual([id]);
  });

  it('TASK-9: a node that gets its own lost task again stops the attempt that lost it', async () => {
    const bench = createTaskBench();
    const first = bench.cluster.add(2);
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const old = bench.run();
    await changeTask(
      bench.store,
      id,
      { type: 'crash', reason: 'The node that ran it is gone.' },
      { nowMs: bench.clock.nowMs(), random: 0, by: 'n1' },
    );
    // Its offer finds the older task first.
    await bench.cluster.submit();
    await settleTasks();
    expect(old.isStopped).toBe(true);
    expect(first.worker.running).toBe(1);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 2 });
  });

  it('TASK-9: after an outage of the store, or of its own, a keeper lets nodes say that they live', async () => {
    let isAway = false;
    const bench = createTaskBench({
      call: (node) => (isAway && node === 'n2' ? 'refused' : 'works'),
    });
    bench.cluster.add();
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const second = bench.cluster.add();
    await bench.pass(1_000);
    bench.cluster.nodes[0]?.freeze();
    second.freeze();
    await bench.pass(20_000);
    second.thaw();
    await bench.pass(300);
    bench.cluster.nodes[0]?.thaw();
    await bench.pass(10_000);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 1, node: 'n1' });
    isAway = true;
    await bench.pass(10_000);
    expect(bench.cluster.begun).toBe(1);
  });
});
