/** Asks the project service whether a project, and an episode of it, are there. */

import type { FieldFault } from '@headwater/shared/protocol/errors';
import { requestFaults } from '@headwater/shared/protocol/tasks';
import {
  type AttemptReport,
  admit,
  type CircuitPolicy,
  type CircuitState,
  CLOSED_CIRCUIT,
  report,
} from '@headwater/shared/providers/circuit-breaker';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { ProjectDetails } from '@headwater/shared/text/scripts/script-prompt';

/** The service has so long for an answer, in ms. */
const TIMEOUT_MS = 2_000;

/** After two failures in a row nobody waits for it for half a minute. */
const CIRCUIT: CircuitPolicy = { failures: 2, openMs: 30_000, probeMs: 10_000 };

/** Characters that are taken over of a title and of a description, and of a whole answer. */
const MAX_TITLE_CHARS = 500;
const MAX_DESCRIPTION_CHARS = 10_000;
const MAX_ANSWER_CHARS = 1_000_000;

/** What a caller is told where the service did not answer. */
export const PROJECT_NOT_CHECKED = 'project service is away: project was not checked';

/** What is known of a project. */
interface ProjectFacts {
  readonly project?: ProjectDetails;
  readonly episode?: ProjectDetails;
  readonly warnings: readonly string[];
}

/** Checks projects. */
export interface ProjectCheck {
  /** Errors: `validation_failed` where the service says that there is no such project, or episode. */
  check(projectId: string, episodeId: string | undefined): Promise<ProjectFacts>;
}

/** What it is wired to. */
export interface ProjectCheckPorts {
  /** Without a slash at the end; `undefined`: nothing is checked. */
  readonly url: string | undefined;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Answer = { readonly found: ProjectDetails } | 'missing' | 'away';

/**
 * Makes the check. Who asks is not told to the service: a caller's token is for this gateway alone,
 * and must not be shown to anybody else.
 */
export function createProjectCheck(ports: ProjectCheckPorts): ProjectCheck {
  const { url, clock, logger } = ports;
  let circuit: CircuitState = CLOSED_CIRCUIT;

  async function ask(path: string): Promise<Answer> {
    const response = await ports.fetch(`${url}${path}`, {
      headers: { accept: 'application/json' },
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 404) {
      await response.body?.cancel();
      return 'missing';
    }
    if (!response.ok) {
      await response.body?.cancel();
      logger.warn({ status: response.status }, 'the project service refused');
      return 'away';
    }
    return { found: detailsOf(await response.text()) };
  }

  async function askAll(paths: readonly string[]): Promise<readonly Answer[]> {
    const admission = admit(circuit, clock.nowMs(), CIRCUIT);
    circuit = admission.state;
    if (!('era' in admission)) return paths.map(() => 'away');
    const answers = await Promise.all(
      paths.map((path) =>
        ask(path).catch((err: unknown): Answer => {
          logger.warn({ err }, 'the project service did not answer');
          return 'away';
        }),
      ),
    );
    const outcome: AttemptReport = answers.includes('away') ? 'failed' : 'succeeded';
    circuit = report(circuit, admission.era, outcome, clock.nowMs(), CIRCUIT);
    return answers;
  }

  return {
    async check(projectId, episodeId) {
      if (url === undefined) return { warnings: [] };
      const base = `/projects/${encodeURIComponent(projectId)}`;
      const [project = 'away', episode] = await askAll([
        base,
        ...(episodeId === undefined ? [] : [`${base}/episodes/${encodeURIComponent(episodeId)}`]),
      ]);
      const faults: FieldFault[] = [];
      if (project === 'missing') {
        faults.push({ path: 'project_id', message: 'There is no such project.' });
      } else if (episode === 'missing') {
        faults.push({ path: 'episode_id', message: 'The project has no such episode.' });
      }
      if (faults.length > 0) throw requestFaults(faults);
      const isAway = project === 'away' || episode === 'away';
      return {
        ...(typeof project === 'object' ? { project: project.found } : {}),
        ...(typeof episode === 'object' ? { episode: episode.found } : {}),
        warnings: isAway ? [PROJECT_NOT_CHECKED] : [],
      };
    },
  };
}

/** What an answer says of a title and a description, in whichever words; the rest is left alone. */
function detailsOf(text: string): ProjectDetails {
  const given = text.length > MAX_ANSWER_CHARS ? undefined : parsed(text);
  const title = textOf(given?.['title'] ?? given?.['name'], MAX_TITLE_CHARS);
  const description = textOf(given?.['description'], MAX_DESCRIPTION_CHARS);
  return {
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
  };
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    // The project is there; what it is called is of no use where it cannot be read.
    return undefined;
  }
}

function textOf(value: unknown, maxChars: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  const text = value.replaceAll('\0', '').trim().slice(0, maxChars).toWellFormed();
  return text === '' ? undefined : text;
}
