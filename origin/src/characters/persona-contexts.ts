/** Contexts of characters that conversations share, so that a turn does not pay the first link each time. */

import { createHash } from 'node:crypto';
import { canonicalJson } from '@headwater/shared/gateway/idempotency';
import type { AnswerChoice } from '@headwater/shared/protocol/answer-options';
import { toGatewayError } from '@headwater/shared/protocol/errors';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import { type RateBucket, takeFromBucket } from '@headwater/shared/security/rate-bucket';
import type { Usage } from '@headwater/shared/stream/event';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { askModels } from '@headwater/shared/text/ask-model';
import { CHAIN_MAX_TOKENS, chainPersona } from '@headwater/shared/text/characters/chain';
import type { Persona } from '@headwater/shared/text/characters/character';
import {
  type PersonaText,
  writePersonaText,
} from '@headwater/shared/text/characters/persona-prompt';
import type { AnswerService } from '../answers/answer-service.ts';
import { sumUsage } from './sum-usage.ts';

/** How long a context serves, and how long the template serves after a failure, in ms. */
const KEPT_MS = 30 * 60_000;
const FAILED_MS = 60_000;

/** Contexts kept at once; the one that was not asked for the longest goes first. */
const MAX_KEPT = 1_000;

/** Longest time that a turn waits for its context, in ms; then the template serves. */
const CONTEXT_MS = 20_000;

/**
 * Contexts that models write for one owner within a minute; beyond it the template serves. They are
 * asked for before an answer's own limits are, so these calls need one of their own.
 */
const MAX_WRITTEN_A_MINUTE = 30;

/** Owners whose calls are counted at once. */
const MAX_COUNTED = 10_000;

/** Said where a model should have written the context, and did not. */
export const CONTEXT_FAILED =
  'No model could write the context: it was made of the details of the character alone.';

/** A context, and what it cost. */
export interface SharedContext extends PersonaText {
  readonly source: 'model' | 'template';
  /** True where an earlier turn paid for it. */
  readonly isKept: boolean;
  /** Of the calls made for it now; `null` where there was none. */
  readonly usage: Usage | null;
  readonly warnings: readonly string[];
}

/** What it is wired to. */
export interface PersonaContextPorts {
  readonly answers: Pick<AnswerService, 'targetsOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Contexts. */
export interface PersonaContexts {
  /**
   * The context of a persona for one owner and one choice of models: owner, persona and models are
   * its key. It is written from the persona alone, never from what a user said: users who share an
   * owner share it. Errors: those of a model that cannot be named.
   */
  of(owner: string, persona: Persona, choice: AnswerChoice): Promise<SharedContext>;
}

interface Kept {
  readonly written: Promise<Omit<SharedContext, 'isKept'>>;
  untilMs: number;
}

/** Makes it; what it keeps is this process's own. */
export function createPersonaContexts(ports: PersonaContextPorts): PersonaContexts {
  const { answers, clock, logger } = ports;
  const kept = new Map<string, Kept>();
  const counted = new Map<string, RateBucket>();

  function mayWrite(owner: string): boolean {
    const taken = takeFromBucket(counted.get(owner), clock.nowMs(), MAX_WRITTEN_A_MINUTE);
    counted.delete(owner);
    counted.set(owner, taken.state);
    dropOldest(counted, MAX_COUNTED);
    return taken.allowed;
  }

  async function write(persona: Persona, targets: readonly ResolvedModel[]) {
    // It serves whoever comes next, so no caller's leaving ends it.
    const signal = AbortSignal.timeout(CONTEXT_MS);
    try {
      const { said, ...written } = await chainPersona(persona, undefined, (messages) =>
        askModels(targets, { messages, maxTokens: CHAIN_MAX_TOKENS }, signal),
      );
      const warnings = written.source === 'model' ? [] : [CONTEXT_FAILED];
      return { ...written, usage: sumUsage(said.map(({ usage }) => usage)), warnings };
    } catch (thrown) {
      // The answer can do without: whatever keeps this model from answering will be told by the next.
      const { code } = toGatewayError(thrown);
      logger.warn({ code, err: thrown }, 'context of a character failed');
      const template = { ...writePersonaText(persona), source: 'template' as const };
      return { ...template, usage: null, warnings: [CONTEXT_FAILED] };
    }
  }

  function keep(key: string, entry: Kept): void {
    kept.delete(key);
    kept.set(key, entry);
    dropOldest(kept, MAX_KEPT);
  }

  return {
    async of(owner, persona, choice) {
      const targets = await answers.targetsOf(choice);
      if (targets[0]?.provider.name === 'echo') return { ...templateOf(persona), isKept: false };
      const key = keyOf(owner, persona, targets);
      const found = kept.get(key);
      if (found !== undefined && found.untilMs > clock.nowMs()) {
        keep(key, found);
        return { ...(await found.written), isKept: true, usage: null };
      }
      if (!mayWrite(owner)) {
        return { ...templateOf(persona), isKept: false, warnings: [CONTEXT_FAILED] };
      }
      const entry: Kept = {
        written: write(persona, targets),
        untilMs: clock.nowMs() + KEPT_MS,
      };
      keep(key, entry);
      const written = await entry.written;
      if (written.source === 'template') entry.untilMs = clock.nowMs() + FAILED_MS;
      return { ...written, isKept: false };
    },
  };
}

/** The simulation writes no context: it says back what it hears. */
function templateOf(persona: Persona): Omit<SharedContext, 'isKept'> {
  return { ...writePersonaText(persona), source: 'template', usage: null, warnings: [] };
}

/** Drops the entry that was set the longest ago, where there are too many. */
function dropOldest(map: Map<string, unknown>, most: number): void {
  const oldest = map.keys().next();
  if (map.size > most && !oldest.done) map.delete(oldest.value);
}

function keyOf(owner: string, persona: Persona, targets: readonly ResolvedModel[]): string {
  const models = targets.map(({ name }) => name);
  return createHash('sha256')
    .update(canonicalJson([owner, persona, models]))
    .digest('hex');
}
