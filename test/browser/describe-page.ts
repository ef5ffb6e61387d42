/** A host, a real browser and a fresh tab for each test. */

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

/** What a test has before it: the page, loaded, and what the browser complained of since. */
export interface OpenedPage {
  readonly baseUrl: string;
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** For starting hosts and a browser on a busy machine. */
const START_TIMEOUT_MS = 60_000;
const TEST_TIMEOUT_MS = 60_000;

/** Longest wait for one thing to show, in ms. */
export const WAIT_MS = 15_000;

/** All text in it. */
export async function textIn(locator: Locator): Promise<string> {
  return (await locator.textContent()) ?? '';
}

/** One screenshot into a fresh temp folder, whose path is printed. */
export async function saveScreenshot(page: Page, name: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'headwater-page-'));
  const path = join(folder, `${name.replace(/\W+/g, '-')}.png`);
  await page.screenshot({ path, fullPage: true });
  console.log(`screenshot: ${path}`);
}

/**
 * Registers a suite for one host. Without Chromium it is a visible skip, and a failure in CI.
 *
 * @param startHost starts the host once for the whole suite
 * @param register registers the tests; what it is given is there once a test runs
 */
export function describePage(
  title: string,
  startHost: () => Promise<PageHost>,
  register: (opened: () => OpenedPage) => void,
): void {
  const missing = chromiumMissing();
  if (missing !== undefined) {
    describe(title, () => {
      it(`runs in a real browser (${missing})`, (context) => {
        const { CI } = process.env;
        if (CI) expect.fail(missing);
        context.skip(missing);
      });
    });
    return;
  }

  describe(title, { timeout: TEST_TIMEOUT_MS }, () => {
    let host: PageHost | undefined;
    let browser: Browser | undefined;
    let opened: OpenedPage | undefined;

    beforeAll(async () => {
      const starts = [
        startHost().then((started) => {
          host = started;
        }),
        startChromium().then((started) => {
          browser = started;
        }),
      ];
      // Both are there, or have failed: what was started is closed either way.
      await Promise.allSettled(starts);
      await Promise.all(starts);
    }, START_TIMEOUT_MS);

    afterAll(async () => {
      await browser?.close();
      await host?.close();
    }, START_TIMEOUT_MS);

    beforeEach(async () => {
      if (host === undefined || browser === undefined) throw new Error('the suite did not start');
      const complaints: string[] = [];
      const page = await browser.context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      opened = { baseUrl: host.baseUrl, page, complaints };
      await page.goto(host.baseUrl);
      await page.locator('#providers li').first().waitFor();
    });

    afterEach(async () => {
      await opened?.page.close();
    });

    register(() => {
      if (opened === undefined) throw new Error('no page is open');
      return opened;
    });
  });
}
