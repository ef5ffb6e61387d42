import { describe, expect, it } from 'vitest';
import { createTaskBench, settleTasks } from '../testing/task-bench.ts';

const DONE = { type: 'succeeded', result: { words: 3 } } as const;

describe('an attempt', () => {
  it('TASK-6: a task is claimed, started, run, and kept with what it came to', async () => {
    const bench = createTaskBench();
    const node = bench.cluster.add();
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 1, node: 'n1' });
    expect(bench.run().task.state.attempts).toBe(1);
    expect(node.worker.running).toBe(1);
    bench.run().end(DONE);
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'succeeded', result: { words: 3 } });
    expect(node.worker.running).toBe(0);
    expect(bench.cluster.over).toEqual([id]);
  });

  it('TASK-6: a failure that may pass is tried again after its pause, another one is final', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    const busy = { code: 'unavailable', message: 'Busy.' } as const;
    bench.run().end({ type: 'failed', error: busy, retryAfterMs: 7_000 });
    await bench.pass(6_950);
    expect(await bench.state(id)).toMatchObject({ status: 'queued', error: busy });
    await bench.pass(100);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 2 });
    const bad = { code: 'validation_failed', message: 'No image.' } as const;
    bench.run().end({ type: 'failed', error: bad });
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'failed', error: bad });
  });

  it('TASK-6: a crash of the engine is tried again at once, a time-out is final', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    bench.run().end({ type: 'crashed', reason: 'The engine process ended.' });
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 2 });
    bench.run().end({ type: 'timed-out' });
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'timed_out', attempts: 2 });
  });

  it('TASK-70: the attempt after a crash gets what the one before kept, and a first one nothing', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    expect(bench.run().checkpoint).toBeUndefined();
    bench.run().tell({ type: 'text', text: 'one ' });
    bench.run().tell({ type: 'checkpoint', checkpoint: '{"done":1}' });
    await settleTasks();
    expect(await bench.store.checkpointOf(id)).toBe('{"done":1}');
    bench.run().end({ type: 'crashed', reason: 'The engine process ended.' });
    await settleTasks();
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 2, epoch: 2 });
    expect(bench.run().checkpoint).toBe('{"done":1}');
    bench.run().tell({ type: 'text', text: 'one two' });
    bench.run().end(DONE);
    await settleTasks();
    const events = await bench.events(id);
    expect(events.map(({ type }) => type)).toEqual([
      'restart',
      'progress',
      'progress',
      'delta',
      'done',
    ]);
    expect(await bench.store.checkpointOf(id)).toBeUndefined();
  });

  it('TASK-70: a node that dies leaves its checkpoint, and what it says of it later is refused', async () => {
    const bench = createTaskBench();
    const [one] = [bench.cluster.add(), bench.cluster.add()];
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const first = bench.run();
    first.tell({ type: 'checkpoint', checkpoint: '1' });
    await settleTasks();
    const frozen = bench.cluster.nodes.find(({ name }) => name === first.node);
    frozen?.freeze();
    first.tell({ type: 'checkpoint', checkpoint: '"late"' });
    await bench.pass(8_000);
    const second = bench.cluster.runs.find(({ node }) => node !== first.node);
    expect(second?.checkpoint).toBe('1');
    frozen?.thaw();
    await bench.pass(2_000);
    expect(first.isStopped).toBe(true);
    expect(await bench.store.checkpointOf(id)).toBe('1');
    second?.end(DONE);
    await settleTasks();
    expect((await bench.state(id)).status).toBe('succeeded');
    expect(one?.isAlive).toBe(true);
  });

  it('TASK-7: a cancelled task stops its engine, and what that gave does not count', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    const run = bench.run();
    await bench.cancel(id);
    await settleTasks();
    expect(run.isStopped).toBe(true);
    expect(await bench.state(id)).toMatchObject({ status: 'canceled', attempts: 1 });
    expect(bench.cluster.nodes[0]?.worker.running).toBe(0);
    await bench.pass(3_000);
    expect(bench.cluster.begun).toBe(1);
  });

  it('TASK-7: a lost word costs a second: the store is asked what the node still has', async () => {
    const bench = createTaskBench({ isWordLost: () => true });
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    const run = bench.run();
    await bench.cancel(id);
    await settleTasks();
    expect(run.isStopped).toBe(false);
    await bench.pass(1_050);
    expect(run.isStopped).toBe(true);
  });

  it('TASK-7: an engine that ends in the same turn as a cancel leaves one end', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    bench.run().end(DONE);
    await bench.cancel(id);
    await settleTasks();
    expect((await bench.state(id)).status).toBe('canceled');
    expect((await bench.events(id)).at(-1)).toMatchObject({ type: 'done', status: 'cancelled' });
  });
});

describe('news', () => {
  it('TASK-8: text is told every 50 ms, progress four times a second, and the last of both with the end', async () => {
    const bench = createTaskBench();
    bench.cluster.add();
    const id = await bench.cluster.submit();
    await settleTasks();
    const run = bench.run();
    for (let at = 1; at <= 100; at += 1) {
      run.tell({ type: 'text', text: `${at} ` });
      run.tell({ type: 'progress', progress: at / 200, stage: `page ${at}` });
      await settleTasks(4);
      await bench.clock.advance(10);
      await settleTasks();
    }
    const events = await bench.events(id);
    const texts = events.filter(({ type }) => type === 'delta');
    expect(texts.length).toBeGreaterThanOrEqual(18);
    expect(texts.length).toBeLessThanOrEqual(21);
    const steps = events.filter(({ type }) => type === 'progress');
    // The first one tells of the start.
    expect(steps.length).toBeGreaterThanOrEqual(5);
    expect(steps.length).toBeLessThanOrEqual(6);
    run.tell({ type: 'text', text: 'the end' });
    run.tell({ type: 'progress', progress: 0.9 });
    run.end(DONE);
    await settleTasks();
    const last = (await bench.events(id)).slice(-3);
    expect(last.map(({ type }) => type)).toEqual(['delta', 'progress', 'done']);
    const text = (await bench.events(id))
      .map((it) => (it.type === 'delta' ? it.text : ''))
      .join('');
    expect(text.startsWith('1 2 3 ')).toBe(true);
    expect(text.endsWith('99 100 the end')).toBe(true);
  });

  it('TASK-8: text that waits is told without a further word, and one alarm serves all tasks', async () => {
    const bench = createTaskBench({}, ['ocr']);
    bench.cluster.add(2);
    const ids = [await bench.cluster.submit(), await bench.cluster.submit()];
    await settleTasks();
    for (const [at, run] of bench.cluster.runs.entries()) {
      run.tell({ type: 'text', text: 'first ' });
      await settleTasks(4);
      run.tell({ type: 'text', text: 'second' });
      run.tell({ type: 'progress', progress: 0.25 * (at + 1) });
      await settleTasks();
      await bench.clock.advance(10);
    }
    await bench.pass(300);
    for (const id of ids) {
      const events = await bench.events(id);
      expect(events.filter(({ type }) => type === 'delta')).toHaveLength(2);
      expect((await bench.state(id)).progress).toBeGreaterThan(0);
    }
  });
});

describe('a worker that stops', () => {
  it('TASK-18: lets what runs end within the grace, and takes no more', async () => {
    const bench = createTaskBench();
    const node = bench.cluster.add(1);
    await settleTasks();
    const id = await bench.cluster.submit();
    const later = await bench.cluster.submit();
    await settleTasks();
    const stopping = node.stop(10_000);
    await bench.pass(2_000);
    bench.run().end(DONE);
    await settleTasks();
    await stopping;
    expect((await bench.state(id)).status).toBe('succeeded');
    expect(await bench.state(later)).toMatchObject({ status: 'queued', attempts: 0 });
    expect(await bench.store.held('n1')).toEqual([]);
    expect(await bench.store.nodes(bench.clock.nowMs())).toEqual([]);
  });

  it('TASK-18: gives back what outlasts the grace, and that attempt does not count', async () => {
    const bench = createTaskBench();
    const node = bench.cluster.add(1);
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const run = bench.run();
    let isStopped = false;
    void node.stop(3_000).then(() => {
      isStopped = true;
    });
    await bench.pass(2_950);
    expect(run.isStopped).toBe(false);
    await bench.pass(100);
    expect(run.isStopped).toBe(true);
    expect(isStopped).toBe(true);
    expect(await bench.state(id)).toMatchObject({ status: 'queued', attempts: 0 });
    bench.cluster.add();
    await bench.pass(100);
    expect(await bench.state(id)).toMatchObject({ status: 'running', attempts: 1, node: 'n2' });
  });

  it('TASK-18: gives back at once what it is handed after the grace', async () => {
    const bench = createTaskBench();
    const { store } = bench;
    const { claim } = store;
    const answer = Promise.withResolvers<void>();
    store.claim = async (type, node, limit, nowMs) => {
      const records = await claim(type, node, limit, nowMs);
      await answer.promise;
      return records;
    };
    const node = bench.cluster.add(1);
    await settleTasks();
    const id = await bench.cluster.submit();
    await settleTasks();
    const stopping = node.stop(1_000);
    await bench.pass(1_050);
    answer.resolve();
    await settleTasks();
    expect(await store.held('n1')).toEqual([]);
    expect(await bench.state(id)).toMatchObject({ status: 'queued', attempts: 0 });
    await bench.pass(3_000);
    await stopping;
    expect(bench.cluster.begun).toBe(0);
  });

  it('TASK-18: does not wait for a store that is away for ever', async () => {
    let isAway = false;
    const bench = createTaskBench({ call: () => (isAway ? 'refused' : 'works') });
    const node = bench.cluster.add(1);
    await settleTasks();
    await bench.cluster.submit();
    await settleTasks();
    isAway = true;
    let isStopped = false;
    void node.stop(1_000).then(() => {
      isStopped = true;
    });
    await bench.pass(8_000);
    expect(isStopped).toBe(true);
  });

  it('TASK-18: one that never reached the store stops too, and never begins', async () => {
    let isAway = true;
    const bench = createTaskBench({ call: () => (isAway ? 'refused' : 'works') });
    const node = bench.cluster.add(1);
    await bench.pass(500);
    const stopping = node.stop(1_000);
    isAway = false;
    await bench.pass(3_000);
    await stopping;
    await bench.cluster.submit();
    await bench.pass(3_000);
    expect(bench.claims).toEqual([]);
  });
});
