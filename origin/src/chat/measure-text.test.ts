import { countTokens } from '@headwater/shared/text/count-tokens';
import { expect, it } from 'vitest';
import { measureText } from './measure-text.ts';

const long = 'The lock keeper counts the boats. '.repeat(1000);

it('CHAT-5: a text that may fit is counted, whatever its length', async () => {
  const counted = await countTokens(long);
  expect(Math.abs((await measureText(long, 1_000_000)) - counted)).toBeLessThan(10);
  expect(await measureText('', 10)).toBe(0);
});

it('CHAT-6: of a text that cannot fit the rest is reckoned, and other work goes on meanwhile', async () => {
  const counted = await countTokens(long);
  const reckoned = await measureText(long, 10);
  expect(reckoned / counted).toBeGreaterThan(0.9);
  expect(reckoned / counted).toBeLessThan(1.1);
  let turns = 0;
  let isOver = false;
  setImmediate(function count() {
    turns += 1;
    if (!isOver) setImmediate(count);
  });
  await measureText(long, 1_000_000);
  isOver = true;
  expect(turns).toBeGreaterThan(2);
});
