/** The built-in simulation: answers without a model, and says so. */

import type { ModelEvent, ModelProvider, ModelRequest } from '../contract.ts';
import type { ModelLister } from '../model-lister.ts';
import { type SleepClock, timerClock } from '../sleep.ts';

export interface EchoSettings {
  /** Default: the platform's timers. */
  readonly clock?: SleepClock | undefined;
  /** Pause before each word but the first, in milliseconds. Default 20; 0 never pauses. */
  readonly wordDelayMs?: number | undefined;
}

const LABEL = 'This is a simulated answer: no model was asked. You wrote: ';
const ADVICE =
  'For a real answer, set OPENAI_API_KEY or ANTHROPIC_API_KEY, or OLLAMA_HOST at the origin, and ask for a model of that vendor.';

/**
 * A provider that repeats the last user message, word by word, the same way each time. Its usage is
 * simulated: a token is a word, and `maxTokens` counts words.
 */
export function createEchoProvider(settings: EchoSettings = {}): ModelProvider & ModelLister {
  const { clock = timerClock, wordDelayMs = 20 } = settings;
  return {
    name: 'echo',
    stream: (request, signal) => streamEcho(request, signal, clock, wordDelayMs),
    listModels: async () => [{ id: 'echo', owned_by: 'headwater' }],
  };
}

/** The whole text that the simulation answers with, `maxTokens` aside. */
export function echoAnswer(messages: ModelRequest['messages']): string {
  const said = messages.findLast(({ role }) => role === 'user')?.content ?? '';
  return `${LABEL}${said}\n\n${ADVICE}`;
}

async function* streamEcho(
  request: ModelRequest,
  signal: AbortSignal,
  clock: SleepClock,
  wordDelayMs: number,
): AsyncGenerator<readonly ModelEvent[], undefined, undefined> {
  const words = splitWords(echoAnswer(request.messages));
  const said = words.slice(0, request.maxTokens);
  for (const [index, text] of said.entries()) {
    if (index > 0 && wordDelayMs > 0) await clock.sleep(wordDelayMs, signal);
    if (signal.aborted) return;
    yield [{ type: 'text', text }];
  }
  if (signal.aborted) return;
  const inputTokens = request.messages.reduce((sum, m) => sum + splitWords(m.content).length, 0);
  yield [
    { type: 'usage', inputTokens, outputTokens: said.length },
    { type: 'finish', reason: said.length < words.length ? 'length' : 'stop' },
  ];
}

/** Each word carries the whitespace in front of it, so that joining the words gives the text back. */
function splitWords(text: string): string[] {
  return text.match(/\s*\S+/g) ?? [];
}
