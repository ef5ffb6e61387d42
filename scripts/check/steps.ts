import { join } from 'node:path';
import { type ProcessResult, runProcess } from '../processes/run-process.ts';
import { checkEdgeBundle } from './edge-bundle.ts';

const TYPE_PROJECTS = [
  'shared/tsconfig.json',
  'shared/tsconfig.test.json',
  'edge/tsconfig.json',
  'edge/tsconfig.test.json',
  'origin/tsconfig.json',
  'web/tsconfig.json',
  'tsconfig.json',
];

/** What one step found. */
export type StepResult = {
  readonly passed: boolean;
  /** A few words beside the step's name, such as a size. */
  readonly note?: string;
  /** Shown in full when the step failed. */
  readonly output: string;
};

/** One step of the check. */
export type Step = {
  readonly name: string;
  readonly run: (stop: AbortSignal) => Promise<StepResult>;
};

/** Every step of `npm run check`, in the order in which they are reported. */
export function listSteps(root: string): readonly Step[] {
  const modules = join(root, 'node_modules');
  const tool = (name: string, script: readonly [string, ...string[]], args: readonly string[]) => ({
    name,
    run: async (stop: AbortSignal): Promise<StepResult> => {
      const command = [join(modules, ...script), ...args];
      const options = { cwd: root, stop, output: 'capture' } as const;
      return readResult(await runProcess(process.execPath, command, options));
    },
  });
  const colors = `--colors=${process.stdout.isTTY ? 'force' : 'off'}`;
  return [
    tool('biome ci', ['@biomejs', 'biome', 'bin', 'biome'], ['ci', colors, '.']),
    ...TYPE_PROJECTS.map((project) =>
      tool(`tsc -p ${project}`, ['typescript', 'bin', 'tsc'], ['-p', join(root, project)]),
    ),
    tool('knip', ['knip', 'bin', 'knip.js'], ['--no-progress']),
    { name: 'edge bundle', run: (stop) => checkEdgeBundle(root, stop) },
  ];
}

function readResult({ exitCode, output }: ProcessResult): StepResult {
  return { passed: exitCode === 0, output };
}
