/** How the built-in simulation answers a question to documents. */

import type { ModelEvent, ModelProvider } from '@headwater/shared/providers/contract';
import { ABSENCE_TOKEN, readRagPrompt } from '@headwater/shared/text/rag/rag-prompt';
import { quotePassage } from './quote-passage.ts';

/**
 * The simulation repeats what it is told, which here is a prompt that its reader has never seen. This
 * one reads it as a model would: it quotes the passage that fits the question best, or says the agreed
 * word. So it does for whoever asks it, also where it takes over for a model in mid-answer. Other
 * requests pass as they are.
 */
export function withRagSimulation<Provider extends ModelProvider>(simulation: Provider): Provider {
  const stream: ModelProvider['stream'] = (request, signal) => {
    const asked = readRagPrompt(request.messages);
    if (asked === undefined) return simulation.stream(request, signal);
    return sayAtOnce(quotePassage(asked.question, asked.passages) ?? ABSENCE_TOKEN);
  };
  return { ...simulation, stream };
}

/** Nobody has worked for it: it costs no tokens. */
async function* sayAtOnce(text: string): AsyncGenerator<readonly ModelEvent[]> {
  yield [
    { type: 'text', text },
    { type: 'usage', inputTokens: 0, outputTokens: 0 },
    { type: 'finish', reason: 'stop' },
  ];
}
