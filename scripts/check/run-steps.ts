import type { Step, StepResult } from './steps.ts';

/**
 * Runs steps, some at a time, and reports each in the given order as soon as it and all before it
 * are done. A step that rejects has failed.
 *
 * @param atOnce how many run side by side
 * @param print takes text with its line ends
 * @param nowMs a clock, milliseconds
 * @returns the names of the failed steps
 */
export async function runSteps(
  steps: readonly Step[],
  atOnce: number,
  stop: AbortSignal,
  print: (text: string) => void,
  nowMs: () => number = () => performance.now(),
): Promise<readonly string[]> {
  const width = Math.max(...steps.map(({ name }) => name.length));
  const failed: string[] = [];
  const reports = new Map<Step, string>();
  let printed = 0;

  const runOne = async (step: Step): Promise<void> => {
    const startMs = nowMs();
    const result = await step.run(stop).catch(describeRejection);
    const seconds = ((nowMs() - startMs) / 1000).toFixed(1);
    const note = result.note === undefined ? '' : `  ${result.note}`;
    const verdict = result.passed ? 'ok  ' : 'FAIL';
    const line = `${verdict}  ${step.name.padEnd(width)}  ${seconds.padStart(5)} s${note}\n`;
    reports.set(step, result.passed ? line : `${line}${result.output.trimEnd()}\n`);
    if (!result.passed) failed.push(step.name);
    for (let next = steps[printed]; next !== undefined; next = steps[printed]) {
      const report = reports.get(next);
      if (report === undefined) break;
      print(report);
      printed += 1;
    }
  };

  const waiting = [...steps];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      if (stop.aborted) return;
      await runOne(step);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return failed;
}

function describeRejection(error: unknown): StepResult {
  return { passed: false, output: error instanceof Error ? error.message : String(error) };
}
