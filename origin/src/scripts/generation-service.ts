/** Takes scripts in, and shows and stops them: each is a task, and a row that outlives it. */

import { readIdempotencyKey } from '@headwater/shared/gateway/idempotency';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type {
  GenerationListView,
  GenerationPage,
  GenerationView,
  ScriptRequest,
} from '@headwater/shared/protocol/scripts';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import type { TaskDraft } from '../inputs/draft.ts';
import { fingerprintOf } from '../inputs/fingerprint.ts';
import type { TaskIntake } from '../tasks/submit-tasks.ts';
import { newId } from '../tasks/task-id.ts';
import type { TaskService } from '../tasks/task-service.ts';
import type { TaskTexts } from '../tasks/task-texts.ts';
import type { GenerationArchive, LiveGeneration } from './generation-archive.ts';
import { type Generation, generationIdOf, isGenerationId, taskIdOf } from './generation-record.ts';
import type { GenerationStore } from './generation-store.ts';
import { summariseGeneration, viewGeneration } from './generation-view.ts';
import { type PreparePorts, prepareGeneration } from './prepare-generation.ts';

/** What it is wired to. */
export interface GenerationPorts extends PreparePorts {
  readonly store: GenerationStore;
  readonly archive: GenerationArchive;
  readonly intake: Pick<TaskIntake, 'submitDraft'>;
  readonly tasks: Pick<TaskService, 'cancel'>;
  readonly texts: TaskTexts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A script that was asked for, now or before. */
interface SubmittedGeneration extends LiveGeneration {
  /** The same request with the same key came before. */
  readonly replayed: boolean;
}

/** The scripts of all callers; each sees its own. */
export interface GenerationService {
  /**
   * Errors: `validation_failed` (template, variables, model, project, callback), `unprocessable` for a
   * key of another request, `rate_limited`, `unavailable`.
   */
  submit(
    owner: string,
    request: ScriptRequest,
    idempotencyKey: string | null,
  ): Promise<SubmittedGeneration>;
  /** Errors: `not_found`, also for what is another caller's. */
  find(owner: string, id: string): Promise<Generation>;
  /** As it is now. */
  view(generation: Generation): Promise<GenerationView>;
  /** Newest first. */
  list(owner: string, page: GenerationPage): Promise<GenerationListView>;
  /** Ends what is not over and keeps what was written; again changes nothing. Errors: `not_found`. */
  cancel(owner: string, id: string): Promise<GenerationView>;
}

/** A submission that took longer may have been taken for lost, in ms. */
const SLOW_MS = 30_000;

/** Codes by which nothing was kept. */
const REFUSALS: ReadonlySet<string> = new Set([
  ...['validation_failed', 'unprocessable', 'rate_limited', 'not_found'],
]);

/** Makes the service. */
export function createGenerationService(ports: GenerationPorts): GenerationService {
  const { store, archive, texts, clock, logger } = ports;

  /** The one that this key stands for. */
  async function earlier(
    owner: string,
    key: string | undefined,
    fingerprint: string,
  ): Promise<Generation | undefined> {
    if (key === undefined) return undefined;
    const found = await store.findByKey(owner, key);
    if (found === undefined || found.fingerprint === fingerprint) return found;
    throw new GatewayError(
      'unprocessable',
      'This Idempotency-Key was used for another request. Use a new one.',
    );
  }

  async function submit(
    owner: string,
    request: ScriptRequest,
    idempotencyKey: string | null,
  ): Promise<SubmittedGeneration> {
    const key = readIdempotencyKey(idempotencyKey);
    // A view that is wanted beside the script makes it no other one.
    const { stream: _stream, ...asked } = request;
    const fingerprint = fingerprintOf(asked);
    const before = await earlier(owner, key, fingerprint);
    if (before !== undefined) {
      const live = await archive.look(before);
      if (live.record !== undefined || live.generation.outcome !== undefined) {
        return { ...live, replayed: true };
      }
    }
    const prepared = await prepareGeneration(ports, owner, request, fingerprint);
    // One whose process died before its task was kept: the same id again makes no second task.
    const generation: Generation = before ?? {
      id: generationIdOf(newId('task')),
      owner,
      request: { ...request, length_target: prepared.lengthTarget },
      templateId: prepared.template.id,
      templateVersion: prepared.template.version,
      warnings: prepared.warnings,
      ...(key === undefined ? {} : { idempotencyKey: key }),
      fingerprint,
      createdAtMs: clock.nowMs(),
      outcome: undefined,
    };
    // The row comes first: a task that runs has a row by which its caller finds it, always.
    if (before === undefined && !(await store.insert(generation))) {
      const first = await earlier(owner, key, fingerprint);
      if (first === undefined) throw new GatewayError('conflict', 'Try again.');
      return { ...(await archive.look(first)), replayed: true };
    }
    const record = await keepTask(generation, prepared.draft);
    return { generation, record, replayed: before !== undefined };
  }

  async function keepTask(generation: Generation, draft: TaskDraft) {
    const { id, owner } = generation;
    const beganAtMs = clock.nowMs();
    try {
      const { kept } = await ports.intake.submitDraft(owner, draft, { id: taskIdOf(id) });
      // Whoever looked in the meantime may have given it up.
      if (clock.nowMs() - beganAtMs > SLOW_MS) await store.reopen(id);
      return kept;
    } catch (thrown) {
      // Of any other failure nobody knows whether the task is kept: the row tells, a minute later.
      if (thrown instanceof GatewayError && REFUSALS.has(thrown.code)) await forget(id);
      throw thrown;
    }
  }

  async function forget(id: string): Promise<void> {
    try {
      await store.remove(id);
    } catch (err) {
      // It has no task, and is failed for that.
      logger.warn({ generationId: id, err }, 'a refused script could not be forgotten');
    }
  }

  async function find(owner: string, id: string): Promise<Generation> {
    const found = isGenerationId(id) ? await store.find(owner, id) : undefined;
    if (found !== undefined) return found;
    throw new GatewayError('not_found', 'You have no script with this id.');
  }

  async function view(generation: Generation): Promise<GenerationView> {
    const live = await archive.look(generation);
    const written =
      live.record === undefined
        ? { text: '', words: 0 }
        : await texts.textOf(taskIdOf(generation.id));
    return viewGeneration(live, written);
  }

  return {
    submit,
    find,
    view,
    async list(owner, { project_id: projectId, after, limit }) {
      const found = await store.list(owner, { projectId, after, limit: limit + 1 });
      const page = found.slice(0, limit);
      const live = await Promise.all(page.map((generation) => archive.look(generation)));
      return {
        generations: live.map(summariseGeneration),
        next_after: found.length > limit ? (page.at(-1)?.id ?? null) : null,
      };
    },
    async cancel(owner, id) {
      const generation = await find(owner, id);
      if (generation.outcome === undefined) await cancelTask(generation);
      return await view(generation);
    },
  };

  async function cancelTask({ id, owner }: Generation): Promise<void> {
    try {
      await ports.tasks.cancel(owner, taskIdOf(id));
    } catch (thrown) {
      // It is about to be kept, or never will be.
      if (thrown instanceof GatewayError && thrown.code === 'not_found') return;
      throw thrown;
    }
  }
}
