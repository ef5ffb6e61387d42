/** Set up before each test file: `vi.waitFor` waits as long as a busy machine may need. */

import { vi } from 'vitest';

/** Longest wait where a test names none, in ms; the second that is vitest's own is soon over. */
const PATIENCE_MS = 15_000;

const { waitFor } = vi;

vi.waitFor = (check, options) =>
  waitFor(check, {
    timeout: PATIENCE_MS,
    ...(typeof options === 'number' ? { timeout: options } : options),
  });
