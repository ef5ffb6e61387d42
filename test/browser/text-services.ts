/** Chat, documents and scripts on the page, in a real browser, with a model that answers by script. */

import { scriptedPrompt } from '@headwater/shared/testing/vendors/directive';
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { SLOWLY } from '../words/scripted-mind.ts';
import { describePage, type PageHost, saveScreenshot, textIn, WAIT_MS } from './describe-page.ts';

const WORDS = Array.from({ length: 80 }, (_, at) => `word${at}`).join(' ');

/** What a document says of markup is text like any other. */
const RIVERS = `# Rivers &lt;i>of&lt;/i> Africa

## The Congo

The Congo is the deepest river, at 220 m &lt;img src=x onerror="document.title='taken'">. It crosses the equator twice.

## The Niger

The Niger makes a great bend.
`;

async function openCard(page: Page, id: string): Promise<Locator> {
  const card = page.locator(`#${id}`);
  await card.locator('> summary').click();
  return card;
}

/** What is read must come to be as expected. */
const eventually = <Value>(read: () => Promise<Value>) =>
  expect.poll(read, { timeout: WAIT_MS, interval: 30 });

/** Waits for a status by its words. */
async function reach(card: Locator, words: string): Promise<void> {
  await eventually(() => textIn(card.locator('.status'))).toBe(words);
}

async function say(card: Locator, message: string): Promise<void> {
  await card.getByLabel('Message').fill(message);
  await card.getByLabel('Message').press('Control+Enter');
}

async function bring(card: Locator, name: string, mimeType: string, text: string): Promise<void> {
  const file = { name, mimeType, buffer: Buffer.from(text) };
  await card.getByLabel('Add documents').setInputFiles([file]);
}

/** The value beside a label below an answer. */
function fact(part: Locator, label: string): Locator {
  return part.locator('.facts div').filter({ hasText: label }).locator('dd');
}

/** Asks for a script of 300 words about rivers. */
async function write(card: Locator, description: string): Promise<void> {
  await card.getByLabel('Type').selectOption('podcast');
  await card.getByLabel('Title').fill('Rivers');
  await card.getByLabel('Description').fill(description);
  await card.getByLabel('Length').fill('300');
  await card.getByRole('button', { name: 'Write' }).click();
}

/**
 * Registers the suite for one host that has a database and the scripted vendor of `mindOf`.
 *
 * @param startHost also tells how to cut every connection to the page
 */
export function describeTextServices(
  name: string,
  startHost: () => Promise<PageHost & { cut(): void }>,
): void {
  let cut = () => {};
  const start = async () => {
    const host = await startHost();
    cut = host.cut;
    return host;
  };

  describePage(`text services on the page of ${name}`, start, (opened) => {
    it('WEB-11: a conversation grows word by word and remembers, until a new one begins', async () => {
      const { page, complaints } = opened();
      const chat = await openCard(page, 'chat');
      await say(chat, scriptedPrompt({ text: WORDS, delayMs: 15 }));
      const first = chat.locator('article .said').first();
      await eventually(() => textIn(first)).toMatch(/word5/);
      expect(await textIn(first)).not.toContain('word79');
      expect(await textIn(chat.locator('.status'))).toBe('Streaming…');
      await reach(chat, 'Complete');
      expect(await textIn(first)).toBe(WORDS);

      await say(chat, 'What did I say?');
      await eventually(() => chat.locator('article').count()).toBe(2);
      await reach(chat, 'Complete');
      const second = chat.locator('article').nth(1);
      expect(await textIn(second.locator('.said'))).toContain('word0 word1');
      expect(await textIn(fact(second, 'Tokens out'))).toMatch(/^[1-9]/);
      expect(await textIn(fact(second, 'Model'))).toBe('gpt-4');
      await saveScreenshot(page, `${name}-chat`);

      await chat.getByRole('button', { name: 'New conversation' }).click();
      await say(chat, 'What did I say?');
      await reach(chat, 'Complete');
      expect(await textIn(chat.locator('article .said'))).toBe('You said: ');
      expect(complaints).toEqual([]);
    });

    it('WEB-12: an answer whose connection breaks goes on where it was cut', async () => {
      const { page } = opened();
      const chat = await openCard(page, 'chat');
      await say(chat, scriptedPrompt({ text: WORDS, delayMs: 25 }));
      const answer = chat.locator('article .said');
      await eventually(() => textIn(answer)).toMatch(/word5/);
      cut();
      await reach(chat, 'Connection lost. Reconnecting: the answer goes on where it stopped…');
      await reach(chat, 'Complete');
      expect(await textIn(answer)).toBe(WORDS);
    });

    it('WEB-14: stops an answer, and the conversation goes on', async () => {
      const { page, complaints } = opened();
      const chat = await openCard(page, 'chat');
      await say(chat, scriptedPrompt({ text: `${WORDS} ${WORDS} ${WORDS}`, delayMs: 25 }));
      const answer = chat.locator('article .said');
      await eventually(() => textIn(answer)).toMatch(/word5/);
      await chat.getByRole('button', { name: 'Stop' }).click();
      await reach(chat, 'Stopped');
      expect(await textIn(answer.first())).not.toContain('word79');
      await fact(chat, 'Model').first().waitFor();
      await say(chat, 'What did I say?');
      await reach(chat, 'Complete');
      expect(complaints).toEqual([]);
    });

    it('WEB-20, WEB-21: a document is added, asked, cited as text, and deleted', async () => {
      const { page, complaints } = opened();
      const card = await openCard(page, 'documents');
      await bring(card, 'rivers.md', 'text/markdown', RIVERS);
      const status = card.locator('#documents-status');
      await eventually(() => textIn(status)).toMatch(/^Added: Rivers/);
      await card.getByLabel('Or paste a text').fill('Ben Nevis is the highest hill.');
      await card.getByRole('button', { name: 'Add text' }).click();
      await eventually(() => card.locator('#documents-list li').count()).toBe(2);

      await card.getByLabel('Question').fill('How deep is the Congo?');
      await card.getByRole('button', { name: 'Ask the documents' }).click();
      await eventually(() => textIn(card.locator('#rag-answer'))).toMatch(
        /The Congo is the deepest river.* \[\d\]/,
      );
      const passage = card.locator('#rag-sources > ul > li').first();
      await passage.waitFor();
      expect(await textIn(passage)).toMatch(/^\[\d\] Rivers <i>of<\/i> Africa/);
      const quote = passage.locator('> blockquote');
      expect(await textIn(quote)).toMatch(/^The Congo is the deepest river, .*<img src=x .*\.$/);
      expect(await textIn(passage.locator('details blockquote'))).toContain('It crosses');
      expect(await card.locator('img, i, b').count()).toBe(0);
      expect(await page.title()).toBe('Headwater');
      await saveScreenshot(page, `${name}-documents`);

      await card.getByRole('button', { name: /^Delete Rivers/ }).click();
      await eventually(() => card.locator('#documents-list li').count()).toBe(1);
      await card.getByRole('button', { name: /^Delete Ben Nevis/ }).click();
      await eventually(() => textIn(card.locator('#documents-list'))).toContain(
        'No documents yet.',
      );
      await card.getByRole('button', { name: 'Ask the documents' }).click();
      await eventually(() => textIn(card.locator('#rag-answer'))).toMatch(/documents do not/);
      expect(complaints).toEqual([]);
    });

    it('WEB-13: a file of another kind and an unknown model are refused in the gateway’s words', async () => {
      const { page } = opened();
      const card = await openCard(page, 'documents');
      await bring(card, 'picture.png', 'image/png', '\u0089PNG\r\n\u001a\n\0\0\0');
      const fault = card.locator('#documents-fault');
      await fault.waitFor();
      expect(await textIn(fault)).toMatch(/unsupported_media_type|validation_failed/);

      await page.getByLabel('Model for these services').fill('no-such-model');
      const chat = await openCard(page, 'chat');
      await say(chat, 'Hi');
      await chat.getByRole('alert').waitFor();
      expect(await textIn(chat.getByRole('alert'))).toMatch(/model/i);
      expect(await chat.getByLabel('Message').inputValue()).toBe('Hi');
    });

    it('WEB-30, WEB-31: a script is written live to its length, another one is stopped', async () => {
      const { page, complaints } = opened();
      const card = await openCard(page, 'script');
      await eventually(() => card.locator('option').count()).toBeGreaterThan(5);
      await card.getByLabel('Type').selectOption('interview');
      await card.getByLabel('Who is asked.').fill('a river guide');

      await write(card, `About rivers. ${SLOWLY}`);
      const words = card.locator('#script-words');
      const text = card.locator('#script-text');
      await eventually(() => textIn(words)).toMatch(/^[1-9]\d* of about 300 words · \S/);
      await reach(card, 'Complete');
      const [, count] = /^(\d+) of about 300 words$/.exec(await textIn(words)) ?? [];
      expect(Math.abs(Number(count) - 300)).toBeLessThanOrEqual(30);
      expect(await textIn(text)).toMatch(/^The river went on north\./);
      expect(await textIn(fact(card, 'Cost'))).toMatch(/^\$0\.0/);
      await saveScreenshot(page, `${name}-script`);

      await write(card, `About more rivers. ${SLOWLY}`);
      await eventually(() => textIn(words)).toMatch(/^[1-9]\d* of about 300 words · \S/);
      await card.getByRole('button', { name: 'Stop' }).click();
      await reach(card, 'Stopped');
      expect(await textIn(text)).not.toBe('');
      expect(complaints).toEqual([]);
    });

    it('WEB-16: all of it fits a screen of 360 px, and the keyboard opens it', async () => {
      const { page } = opened();
      await page.setViewportSize({ width: 360, height: 740 });
      for (const id of ['chat', 'documents', 'script']) {
        await page.locator(`#${id} > summary`).press('Enter');
        expect(await page.locator(`#${id}`).getAttribute('open')).toBe('');
      }
      const whole = await page.locator('html').evaluate((root) => root.scrollWidth);
      expect(whole).toBeLessThanOrEqual(360);
    });
  });
}
