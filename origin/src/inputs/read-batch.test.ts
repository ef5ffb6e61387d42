import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  form,
  type InputHost,
  inbound,
  json,
  refusalOf,
  startInputHost,
  withReader,
} from '../testing/input-reader-host.ts';

let host: InputHost;
beforeAll(async () => {
  host = await startInputHost();
});
afterAll(() => host.close());

const base64 = () => host.png.toString('base64');

describe('a batch', () => {
  it('INPUT-9: bad entries are errors of their own, and what holds for all is theirs too', () =>
    withReader(async ({ reader, files }) => {
      const tasks = [
        { type: 'ocr', image: base64() },
        { type: 'ocr', priority: 0 },
        { type: 'nope' },
        { type: 'deaf' },
        { dpi: 3 },
        'text',
        { type: 'ocr', image: `${host.base}/missing` },
        { type: 'ocr', image: `${host.base}/png`, priority: 2 },
      ];
      const { entries } = await reader.readBatch(
        json({ tasks, priority: 8, callbackUrl: 'https://a.example/' }),
      );
      const told = entries.map((entry) =>
        'draft' in entry ? entry.draft.priority : entry.error.code,
      );
      expect(told).toEqual([
        8,
        ...['validation_failed', 'validation_failed', 'unavailable', 'validation_failed'],
        ...['validation_failed', 'upstream_failed'],
        2,
      ]);
      expect(entries[0]).toMatchObject({ draft: { callbackUrl: 'https://a.example/' } });
      expect(await files()).toHaveLength(2);
    }));

  it('INPUT-9: an entry of which one file is bad keeps none of its files', () =>
    withReader(async ({ reader, files }) => {
      const pages = [base64(), `${host.base}/png`, base64(), `${host.base}/missing`];
      const { entries } = await reader.readBatch(json({ tasks: [{ type: 'ocr', pages }] }));
      expect(entries).toMatchObject([{ error: { code: 'upstream_failed' } }]);
      expect(await files()).toEqual([]);
    }));

  it('INPUT-9: 1,000 tasks are taken, 1,001 and none are not, and nothing is kept', () =>
    withReader(async ({ reader, files }) => {
      const of = (count: number) =>
        json({ tasks: Array.from({ length: count }, () => ({ type: 'ocr' })) });
      expect((await reader.readBatch(of(1000))).entries).toHaveLength(1000);
      for (const count of [0, 1001]) {
        const { code, message } = await refusalOf(reader.readBatch(of(count)));
        expect(code).toBe('validation_failed');
        expect(message).toContain('tasks');
      }
      const large = {
        tasks: Array.from({ length: 1001 }, () => ({ type: 'ocr', image: `${host.base}/png` })),
      };
      const before = host.fetched;
      await refusalOf(
        reader.readBatch(json({ ...large, tasks: [...large.tasks, { image: base64() }] })),
      );
      expect(host.fetched).toBe(before);
      expect(await files()).toEqual([]);
    }));

  it('INPUT-9: at most eight files come in at once', () =>
    withReader(async ({ reader }) => {
      const tasks = Array.from({ length: 40 }, () => ({
        type: 'ocr',
        image: `${host.base}/together`,
      }));
      const { entries } = await reader.readBatch(json({ tasks }));
      expect(entries.every((entry) => 'draft' in entry)).toBe(true);
      expect(host.most).toBe(8);
    }));

  it('INPUT-9: the time for all files is bounded; what did not come in time is told', () =>
    withReader(async ({ reader, files }) => {
      const tasks = Array.from({ length: 30 }, (_, at) => ({
        type: 'ocr',
        image: `${host.base}/never?${at}`,
      }));
      const before = Date.now();
      const { entries } = await reader.readBatch(
        json({ tasks: [{ type: 'ocr', dpi: 1 }, ...tasks] }),
      );
      expect(Date.now() - before).toBeLessThan(5000);
      expect(entries[0]).toHaveProperty('draft');
      expect(
        entries
          .slice(1)
          .every((entry) => 'error' in entry && entry.error.code === 'upstream_timeout'),
      ).toBe(true);
      expect(await files()).toEqual([]);
    }, 400));

  it('INPUT-7: its fingerprint is that of what was sent, whatever came of it', () =>
    withReader(async ({ reader }) => {
      const print = async (body: unknown) => (await reader.readBatch(json(body))).fingerprint;
      const one = { type: 'ocr', image: `${host.base}/missing`, prompt: 'x'.repeat(50_000) };
      const first = await print({ tasks: [one], priority: 3 });
      expect(await print({ priority: 3, tasks: [{ ...one }] })).toBe(first);
      expect(
        await print({ priority: 3, tasks: [{ ...one, prompt: 'y'.repeat(50_000) }] }),
      ).not.toBe(first);
      expect(await print({ priority: 3, tasks: [one, one] })).not.toBe(first);
    }));

  it('INPUT-9: a form, a bad default and an unknown field of the batch are refused', () =>
    withReader(async ({ reader }) => {
      const sent = await form([['tasks', '[]']]);
      expect((await refusalOf(reader.readBatch(inbound(sent)))).code).toBe(
        'unsupported_media_type',
      );
      for (const more of [{ priority: 0 }, { colour: 1 }, { timeoutSeconds: 'x' }]) {
        const { code } = await refusalOf(
          reader.readBatch(json({ tasks: [{ type: 'ocr' }], ...more })),
        );
        expect(code).toBe('validation_failed');
      }
    }));
});
