/** What vitest's JSON report holds, as far as it matters here. */
export type VitestReport = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  /** Skipped tests. */
  readonly numPendingTests: number;
  readonly numTodoTests?: number;
  /** One entry a test file. */
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
};

/**
 * The line that closes a test run: `12 passed, 0 failed`, with `, 3 skipped` when some were.
 *
 * A file that fails as a whole (it cannot be loaded, say) counts as one failure, and so does a run
 * that fails with every test passed, or that leaves no report at all.
 *
 * @param report undefined when vitest wrote none
 * @param exitCode vitest's
 */
export function formatClosingLine(report: VitestReport | undefined, exitCode: number): string {
  const passed = report?.numPassedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  const failedFiles = (report?.testResults ?? []).filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const counted = (report?.numFailedTests ?? 0) + failedFiles;
  const failed = counted === 0 && exitCode !== 0 ? 1 : counted;
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
