/** A script as the wire shows it. */

import type { GenerationSummary, GenerationView } from '@headwater/shared/protocol/scripts';
import type { Json } from '@headwater/shared/tasks/task';
import type { TaskText } from '../tasks/task-texts.ts';
import type { LiveGeneration } from './generation-archive.ts';

function isoTime(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : new Date(ms).toISOString();
}

/** Without the text. */
export function summariseGeneration({ generation, record }: LiveGeneration): GenerationSummary {
  const { id, request, templateId, templateVersion, outcome, createdAtMs } = generation;
  const { status, progress, startedAtMs, error } = outcome ??
    record?.state ?? { status: 'queued', progress: 0, startedAtMs: null, error: null };
  return {
    generation_id: id,
    project_id: request.project_id,
    episode_id: request.episode_id ?? null,
    script_type: request.script_type,
    title: request.title,
    length_target: request.length_target ?? null,
    template: { id: templateId, version: templateVersion },
    status,
    progress,
    stage: record?.state.stage ?? null,
    word_count: wordsOf(outcome?.result),
    warnings: [...generation.warnings, ...warningsOf(outcome?.result)],
    error: error ?? null,
    created_at: new Date(createdAtMs).toISOString(),
    started_at: isoTime(startedAtMs),
    finished_at: isoTime(outcome?.finishedAtMs),
  };
}

/** The whole of it; `written` is what there is of one that is not over. */
export function viewGeneration(live: LiveGeneration, written: TaskText): GenerationView {
  const { outcome } = live.generation;
  const summary = summariseGeneration(live);
  const isWhole = outcome?.status === 'succeeded';
  const text = outcome?.text ?? written.text;
  return {
    ...(isWhole ? outcome.result : {}),
    ...summary,
    word_count: summary.word_count ?? written.words,
    text: isWhole ? text : null,
    partial_text: isWhole ? null : text,
  };
}

type Result = { readonly [name: string]: Json } | null | undefined;

function wordsOf(result: Result): number | null {
  const words = result?.['word_count'];
  return typeof words === 'number' ? words : null;
}

function warningsOf(result: Result): string[] {
  const warnings = result?.['warnings'];
  return Array.isArray(warnings) ? warnings.map(String) : [];
}
