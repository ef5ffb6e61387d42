import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readOutput } from './child-output.ts';

function listen() {
  const lines: string[] = [];
  const dropped: number[] = [];
  const clock = { now: 0 };
  const stream = new PassThrough();
  readOutput(stream, {
    line: (line) => lines.push(line),
    dropped: (count) => dropped.push(count),
    nowMs: () => clock.now,
  });
  const write = async (text: string): Promise<void> => {
    stream.write(text);
    await new Promise(setImmediate);
  };
  const end = async (): Promise<void> => {
    stream.end();
    await new Promise(setImmediate);
  };
  return { lines, dropped, clock, write, end };
}

describe('the output of a child', () => {
  it('ENGINE-9: comes line by line, however it is cut, and blank lines are left out', async () => {
    const { lines, write, end } = listen();
    for (const part of ['a', 'b\nc', 'd\r\n\n  \ne', 'f']) await write(part);
    expect(lines).toEqual(['ab', 'cd']);
    await end();
    expect(lines).toEqual(['ab', 'cd', 'ef']);
  });

  it('ENGINE-9: a line is cut at 2,000 characters, also one without an end', async () => {
    const { lines, write, end } = listen();
    await write(`${'x'.repeat(2_500)}\nnext\n`);
    for (let part = 0; part < 10; part += 1) await write('y'.repeat(1_000));
    await write('\nlast');
    await end();
    expect(lines).toEqual(['x'.repeat(2_000), 'next', 'y'.repeat(2_000), 'last']);
  });

  it('ENGINE-9: of more than 100 lines in 10 s the rest is counted, and then told', async () => {
    const { lines, dropped, clock, write, end } = listen();
    await write('a\n'.repeat(150));
    expect([lines.length, dropped]).toEqual([100, []]);
    clock.now = 10_000;
    await write('b\n'.repeat(101));
    expect([lines.length, dropped]).toEqual([200, [50]]);
    await end();
    expect(dropped).toEqual([50, 1]);
  });
});
