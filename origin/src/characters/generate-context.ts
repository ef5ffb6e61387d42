/** The first link for a caller of its own: `POST /generate-context`. */

import { wishOf } from '@headwater/shared/protocol/answer-options';
import type { GenerateContextRequest } from '@headwater/shared/protocol/characters';
import { type ErrorCode, GatewayError } from '@headwater/shared/protocol/errors';
import type { Logger } from '@headwater/shared/stream/ports';
import { CHAIN_MAX_TOKENS, chainPersona } from '@headwater/shared/text/characters/chain';
import type { Persona } from '@headwater/shared/text/characters/character';
import { writePersonaText } from '@headwater/shared/text/characters/persona-prompt';
import { answerFields } from '../answers/answer-fields.ts';
import type { AnswerService, TextAnswer } from '../answers/answer-service.ts';
import { CONTEXT_FAILED } from './persona-contexts.ts';
import { sumCost, sumUsage } from './sum-usage.ts';

/** What it is wired to. */
export interface GenerateContextPorts {
  readonly answers: Pick<AnswerService, 'ask' | 'targetsOf'>;
  readonly logger: Logger;
}

/** Failures of models, after which the template serves; whatever else fails is the caller's to know. */
const OF_MODELS: readonly ErrorCode[] = [
  'upstream_failed',
  'upstream_timeout',
  'unavailable',
  'processing_failed',
];

/**
 * Context and rules, and what they cost. Errors: those of a model that cannot be named, of admission,
 * and the reason of `signal`.
 */
export async function generateContext(
  ports: GenerateContextPorts,
  asker: { readonly owner: string; readonly persona: Persona },
  request: Pick<GenerateContextRequest, 'user_input'> & Parameters<typeof wishOf>[0],
  signal: AbortSignal,
) {
  const { owner, persona } = asker;
  const choice = wishOf(request);
  const [first] = await ports.answers.targetsOf(choice);
  const isSimulated = first?.provider.name === 'echo';
  try {
    const { said, ...written } = await chainPersona(
      persona,
      request.user_input,
      isSimulated
        ? undefined
        : (messages) =>
            ports.answers.ask(
              { maxTokens: CHAIN_MAX_TOKENS, ...choice, subject: owner, messages },
              signal,
            ),
    );
    const isUseless = written.source === 'template' && !isSimulated;
    return {
      ...written,
      ...fieldsOf(said),
      ...(isSimulated ? { simulated: true as const } : {}),
      warnings: isUseless ? [CONTEXT_FAILED] : [],
    };
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof GatewayError)) throw thrown;
    if (!OF_MODELS.includes(thrown.code)) throw thrown;
    ports.logger.warn({ code: thrown.code, err: thrown }, 'context of a character failed');
    const template = { ...writePersonaText(persona), source: 'template' as const };
    return { ...template, ...NOBODY, warnings: [CONTEXT_FAILED] };
  }
}

const NOBODY = {
  model: null,
  provider: null,
  usage: null,
  cost: null,
  finish_reason: null,
  cached: false,
};

/** Of all that was said for it: a repair has its price too. */
function fieldsOf(said: readonly TextAnswer[]) {
  const last = said.at(-1);
  if (last === undefined) return NOBODY;
  return answerFields({
    ...last,
    usage: sumUsage(said.map(({ usage }) => usage)),
    cost: sumCost(said.map(({ cost }) => cost)),
    isCached: said.every(({ isCached }) => isCached),
  });
}
