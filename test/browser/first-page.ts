/** What a person sees on the first page, in a real browser, against any host. */

import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Browser, chromiumMissing, startChromium } from './chromium.ts';

/** A started gateway whose `baseUrl` serves the page; DEV_MODE, so that no token is needed. */
export interface PageHost {
  readonly baseUrl: string;
  close(): Promise<void>;
}

/** For starting a host and a browser on a busy machine. */
const START_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 30_000;
const WAIT_MS = 15_000;

/** About 2.4 s and 12 s of the echo provider at 20 ms a word: time to see it grow, and to stop it. */
const WORDS = Array.from({ length: 120 }, (_, at) => `word${at}`).join(' ');
const MANY_WORDS = Array.from({ length: 600 }, (_, at) => `word${at}`).join(' ');

const GROWING = 'Streaming…';

async function send(page: Page, prompt: string, model = 'echo'): Promise<void> {
  await page.getByLabel('Prompt').fill(prompt);
  await page.getByLabel('Model').fill(model);
  await page.getByRole('button', { name: 'Send' }).click();
}

async function textIn(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
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

/** One screenshot into a fresh temp folder, whose path is printed. */
async function saveScreenshot(page: Page, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-page-'));
  const path = join(folder, `${name.replace(/\W+/g, '-')}.png`);
  await page.screenshot({ path, fullPage: true });
  console.log(`screenshot: ${path}`);
}

/**
 * Registers the suite for one host. Without Chromium it is a visible skip, and a failure in CI.
 *
 * @param name how the host is called in titles, such as `edge` or `origin`
 * @param startHost starts the host once for the whole suite
 */
export function describeFirstPage(name: string, startHost: () => Promise<PageHost>): void {
  const missing = chromiumMissing();
  if (missing !== undefined) {
    describe(`first page on ${name}`, () => {
      it(`runs in a real browser (${missing})`, (context) => {
        const { CI } = process.env;
        if (CI) expect.fail(missing);
        context.skip(missing);
      });
    });
    return;
  }

  describe(`first page on ${name}`, { timeout: TEST_TIMEOUT_MS }, () => {
    let host: PageHost | undefined;
    let browser: Browser | undefined;
    let page: Page;
    let complaints: string[];

    beforeAll(async () => {
      host = await startHost();
      browser = await startChromium();
    }, START_TIMEOUT_MS);

    afterAll(async () => {
      await browser?.close();
      await host?.close();
    }, START_TIMEOUT_MS);

    beforeEach(async () => {
      if (host === undefined || browser === undefined) throw new Error('the suite did not start');
      complaints = [];
      page = await browser.context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      await page.goto(host.baseUrl);
      await page.locator('#providers li').first().waitFor();
    });

    afterEach(async () => {
      await page.close();
    });

    it('shows an answer growing, then all of it, its tokens and the delivered callback', async () => {
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
      await page.getByLabel('Prompt').fill('one two three');
      await page.getByLabel('Model').fill('');
      expect(await page.getByLabel('Model').getAttribute('placeholder')).toBeTruthy();
      await page.getByLabel('Prompt').press('Control+Enter');
      await expect.poll(() => statusOf(page), { timeout: WAIT_MS }).toBe('Complete');
    });

    it('says in clear words that a model is unknown', async () => {
      await send(page, 'Hi', 'no-such-model');
      const fault = page.getByRole('alert');
      await fault.waitFor();
      expect(await textIn(fault)).toMatch(/model/i);
      expect(await statusOf(page)).toBe('Failed');
      expect(await page.getByRole('button', { name: 'Send' }).isEnabled()).toBe(true);
    });

    it('stops an answer half-way, keeps what was said, and still calls back', async () => {
      await send(page, MANY_WORDS);
      await growPast(page, 20);
      await page.getByRole('button', { name: 'Stop' }).click();
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
      await page.getByLabel('Prompt').fill("it's raining");
      const curl = await textIn(page.locator('#curl'));
      expect(curl).toContain(`/init-stream'`);
      expect(curl).toContain(String.raw`it'\''s raining`);
    });

    it('fits a screen of 360 px without scrolling sideways', async () => {
      await page.setViewportSize({ width: 360, height: 740 });
      const send = await page.getByRole('button', { name: 'Send' }).boundingBox();
      const whole = await page.locator('html').evaluate((root) => root.scrollWidth);
      expect(whole).toBeLessThanOrEqual(360);
      expect(send?.x).toBeGreaterThan(0);
    });

    it('DOCS-1: /docs shows every request of the OpenAPI document, and sends one', async () => {
      const base = host?.baseUrl ?? '';
      const document = await fetch(`${base}/openapi.json`);
      const { paths } = (await document.json()) as { paths: Record<string, object> };
      await page.goto(`${base}/docs`);
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
