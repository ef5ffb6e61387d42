/** What a person sees on the first page, in a real browser, against any host. */

import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describePage, type PageHost, saveScreenshot, textIn, WAIT_MS } from './describe-page.ts';

/** About 2.4 s and 12 s of the echo provider at 20 ms a word: time to see it grow, and to stop it. */
const WORDS = Array.from({ length: 120 }, (_, at) => `word${at}`).join(' ');
const MANY_WORDS = Array.from({ length: 600 }, (_, at) => `word${at}`).join(' ');

const GROWING = 'Streaming…';

const promptOf = (page: Page) => page.getByLabel('Prompt');
const modelOf = (page: Page) => page.getByLabel('Model', { exact: true });
const sendOf = (page: Page) => page.getByRole('button', { name: 'Send', exact: true });

async function send(page: Page, prompt: string, model = 'echo'): Promise<void> {
  await promptOf(page).fill(prompt);
  await modelOf(page).fill(model);
  await sendOf(page).click();
}

const statusOf = (page: Page) => textIn(page.locator('#status'));
const answerOf = (page: Page) => textIn(page.locator('#answer'));

/** Waits until the answer is longer than `length`, and gives its length and the status then. */
async function growPast(page: Page, length: number): Promise<{ length: number; status: string }> {
  await expect
    .poll(async () => (await answerOf(page)).length, { timeout: WAIT_MS, interval: 30 })
    .toBeGreaterThan(length);
  const status = await statusOf(page);
  return { length: (await answerOf(page)).length, status };
}

/** The value beside a label below the answer. */
function fact(page: Page, label: string): Locator {
  return page.locator('#facts div').filter({ hasText: label }).locator('dd');
}

/**
 * Registers the suite for one host without any vendor.
 *
 * @param name how the host is called in titles, such as `edge` or `origin`
 * @param startHost starts the host once for the whole suite
 * @param notice what the page says of its text services there
 */
export function describeFirstPage(
  name: string,
  startHost: () => Promise<PageHost>,
  notice: RegExp,
): void {
  describePage(`first page on ${name}`, startHost, (opened) => {
    it('shows an answer growing, then all of it, its tokens and the delivered callback', async () => {
      const { page, complaints } = opened();
      await send(page, WORDS);
      const early = await growPast(page, 0);
      const later = await growPast(page, early.length);
      expect([early.status, later.status]).toEqual([GROWING, GROWING]);

      await expect.poll(() => statusOf(page), { timeout: WAIT_MS }).toBe('Complete');
      const answer = await answerOf(page);
      expect(answer).toContain(WORDS);
      expect(answer.length).toBeGreaterThan(later.length);

      await expect
        .poll(() => textIn(fact(page, 'Callback')), { timeout: WAIT_MS })
        .toMatch(/^delivered/);
      expect(await textIn(fact(page, 'Tokens in'))).toMatch(/^[1-9]/);
      expect(await textIn(fact(page, 'Tokens out'))).toMatch(/^[1-9]/);
      expect(await textIn(fact(page, 'Model'))).toBe('echo');
      await saveScreenshot(page, name);
      expect(complaints).toEqual([]);
    });

    it('sends with Ctrl+Enter and leaves the default model to the gateway', async () => {
      const { page } = opened();
      await promptOf(page).fill('one two three');
      await modelOf(page).fill('');
      expect(await modelOf(page).getAttribute('placeholder')).toBeTruthy();
      await promptOf(page).press('Control+Enter');
      await expect.poll(() => statusOf(page), { timeout: WAIT_MS }).toBe('Complete');
    });

    it('says in clear words that a model is unknown', async () => {
      const { page } = opened();
      await send(page, 'Hi', 'no-such-model');
      const fault = page.getByRole('alert');
      await fault.waitFor();
      expect(await textIn(fault)).toMatch(/model/i);
      expect(await statusOf(page)).toBe('Failed');
      expect(await sendOf(page).isEnabled()).toBe(true);
    });

    it('stops an answer half-way, keeps what was said, and still calls back', async () => {
      const { page, complaints } = opened();
      await send(page, MANY_WORDS);
      await growPast(page, 20);
      await page.locator('.ask').getByRole('button', { name: 'Stop' }).click();
      await expect
        .poll(() => textIn(fact(page, 'Callback')), { timeout: WAIT_MS })
        .toMatch(/^delivered/);
      expect(await statusOf(page)).toBe('Stopped');
      const answer = await answerOf(page);
      expect(answer).not.toBe('');
      expect(answer).not.toContain('word599');
      expect(complaints).toEqual([]);
    });

    it('offers a curl that holds the prompt of the form', async () => {
      const { page } = opened();
      await promptOf(page).fill("it's raining");
      const curl = await textIn(page.locator('#curl'));
      expect(curl).toContain(`/init-stream'`);
      expect(curl).toContain(String.raw`it'\''s raining`);
    });

    it('WEB-15: says before anybody tries them what is behind the text services', async () => {
      const { page, complaints } = opened();
      await expect
        .poll(() => textIn(page.locator('#services-notice')), { timeout: WAIT_MS })
        .toMatch(notice);
      expect(complaints).toEqual([]);
    });

    it('fits a screen of 360 px without scrolling sideways', async () => {
      const { page } = opened();
      await page.setViewportSize({ width: 360, height: 740 });
      const button = await sendOf(page).boundingBox();
      const whole = await page.locator('html').evaluate((root) => root.scrollWidth);
      expect(whole).toBeLessThanOrEqual(360);
      expect(button?.x).toBeGreaterThan(0);
    });

    it('DOCS-1: /docs shows every request of the OpenAPI document, and sends one', async () => {
      const { page, baseUrl, complaints } = opened();
      const document = await fetch(`${baseUrl}/openapi.json`);
      const { paths } = (await document.json()) as { paths: Record<string, object> };
      await page.goto(`${baseUrl}/docs`);
      await page.locator('.opblock').first().waitFor();
      const shown = await page.locator('.opblock-summary-path').evaluateAll((found) =>
        // Swagger UI puts a zero-width space behind each slash, for line breaks.
        found.map((path) => (path.textContent ?? '').replaceAll('\u200b', '')),
      );
      expect([...new Set(shown)].sort()).toEqual(Object.keys(paths).sort());
      await saveScreenshot(page, `${name}-docs`);

      const health = page.locator('.opblock', { has: page.locator('[data-path="/health"]') });
      await health.locator('.opblock-summary-control').click();
      await health.getByRole('button', { name: 'Try it out' }).click();
      await health.getByRole('button', { name: 'Execute' }).click();
      await health.locator('.live-responses-table').waitFor();
      expect(await textIn(health.locator('.live-responses-table'))).toContain('200');
      expect(complaints).toEqual([]);
    });
  });
}
