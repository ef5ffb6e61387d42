/** The built-in simulation: answers without a model, and says so. */

import type { ModelEvent, ModelProvider, ModelRequest } from '../contract.ts';

/** Waits between words. */
export interface EchoClock {
  /** Resolves after `ms` milliseconds, or at once when the signal aborts; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface EchoSettings {
  /** Default: the platform's timers. */
  readonly clock?: EchoClock | undefined;
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
export function createEchoProvider(settings: EchoSettings = {}): ModelProvider {
  const { clock = timerClock, wordDelayMs = 20 } = settings;
  return {
    name: 'echo',
    stream: (request, signal) => streamEcho(request, signal, clock, wordDelayMs),
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
  clock: EchoClock,
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

const timerClock: EchoClock = {
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake, { once: true });
    }),
};
