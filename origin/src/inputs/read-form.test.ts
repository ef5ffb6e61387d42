import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  blobOf,
  form,
  type InputHost,
  inbound,
  MAX_BYTES,
  refusalOf,
  startInputHost,
  withReader,
} from '../testing/input-reader-host.ts';
import type { TaskDraft } from './draft.ts';

let host: InputHost;
beforeAll(async () => {
  host = await startInputHost();
});
afterAll(() => host.close());

const base64 = () => host.png.toString('base64');

describe('a task by form', () => {
  it('INPUT-1: files and fields come as parts, in any order, or as one JSON part', () =>
    withReader(async ({ reader, files }) => {
      const forms = [
        await form([
          ['dpi', '300'],
          ['image', blobOf(host.png), 'a.png'],
          ['priority', '7'],
          ['boxes', '[1,2]'],
          ['language', '12'],
        ]),
        await form([
          ['image', blobOf(host.png), 'a.png'],
          ['input', '{"dpi":300,"priority":7,"boxes":[1,2],"language":"12"}'],
        ]),
        await form([
          [
            'input',
            blobOf(Buffer.from('{"dpi":300,"priority":7,"boxes":[1,2]}'), 'application/json'),
            'blob',
          ],
          ['language', '12'],
          ['image', base64()],
        ]),
      ];
      const drafts: TaskDraft[] = [];
      for (const sent of forms) {
        for (const size of [1, 13, 5000])
          drafts.push(await reader.readTask('ocr', inbound(sent, size)));
      }
      for (const { priority, input } of drafts) {
        expect(priority).toBe(7);
        expect(input.params).toEqual({ language: '12', dpi: 300, boxes: [1, 2] });
        expect(input.files).toMatchObject([{ field: 'image', bytes: host.png.length, width: 90 }]);
      }
      expect(await files()).toHaveLength(drafts.length);
      await reader.discard(drafts);
      expect(await files()).toEqual([]);
    }));

  it('INPUT-2: several parts of a field are its files, also by image[]', () =>
    withReader(async ({ reader }) => {
      const sent = await form([
        ['pages[]', blobOf(host.png), 'a'],
        ['pages[1]', blobOf(host.png), 'b'],
        ['pages', `${host.base}/png`],
      ]);
      const { input } = await reader.readTask('ocr', inbound(sent));
      expect(input.files.map(({ field }) => field)).toEqual(['pages[0]', 'pages[1]', 'pages[2]']);
    }));

  const bad: readonly (readonly [string, () => Parameters<typeof form>[0], string])[] = [
    ['a file of no field', () => [['evil', blobOf(host.png), 'a.png']], 'validation_failed'],
    [
      'too many files',
      () => [
        ['image', blobOf(host.png), 'a'],
        ['image', blobOf(host.png), 'b'],
      ],
      'validation_failed',
    ],
    [
      'far too many files',
      () => Array.from({ length: 40 }, () => ['pages', blobOf(host.png), 'b'] as const),
      'validation_failed',
    ],
    [
      'far too many fields',
      () => Array.from({ length: 200 }, (_, at) => [`f${at}`, 'x'] as const),
      'validation_failed',
    ],
    [
      'a field twice',
      () => [
        ['dpi', '1'],
        ['dpi', '2'],
      ],
      'validation_failed',
    ],
    [
      'a bad field behind a good file',
      () => [
        ['image', blobOf(host.png), 'a'],
        ['priority', '0'],
      ],
      'validation_failed',
    ],
    [
      'a large file',
      () => [['image', blobOf(Buffer.alloc(MAX_BYTES + 1)), 'a']],
      'payload_too_large',
    ],
    [
      'large files together',
      () =>
        Array.from(
          { length: 5 },
          () =>
            [
              'pages',
              blobOf(Buffer.concat([host.png, Buffer.alloc(MAX_BYTES - host.png.length)])),
              'b',
            ] as const,
        ),
      'payload_too_large',
    ],
    ['a large field', () => [['prompt', 'x'.repeat(1_200_000)]], 'payload_too_large'],
    [
      'no image',
      () => [['image', blobOf(Buffer.from('<svg/>')), 'a.png']],
      'unsupported_media_type',
    ],
    ['a broken JSON part', () => [['input', '{"a":']], 'validation_failed'],
    ['a text that is no number', () => [['dpi', 'many']], 'validation_failed'],
  ];

  it.each(bad)('INPUT-8: %s leaves no file', (_name, partsOf, code) =>
    withReader(async ({ reader, files }) => {
      const refusal = await refusalOf(
        reader.readTask('ocr', inbound(await form(partsOf()), 50_000)),
      );
      expect(refusal.code).toBe(code);
      expect(await files()).toEqual([]);
    }),
  );

  it('INPUT-8: a form that ends early, anywhere, leaves no file', () =>
    withReader(async ({ reader, files }) => {
      const sent = await form([
        ['dpi', '3'],
        ['image', blobOf(host.png), 'a.png'],
        ['language', 'de'],
      ]);
      for (let share = 0; share < 1; share += 0.07) {
        const cut = {
          ...sent,
          bytes: sent.bytes.subarray(0, Math.floor(sent.bytes.length * share)),
        };
        expect((await refusalOf(reader.readTask('ocr', inbound(cut)))).code).toBe(
          'validation_failed',
        );
      }
      const { code } = await refusalOf(
        reader.readTask('ocr', { ...inbound(sent), contentType: 'multipart/form-data' }),
      );
      expect(code).toBe('validation_failed');
      expect(await files()).toEqual([]);
    }));
});
