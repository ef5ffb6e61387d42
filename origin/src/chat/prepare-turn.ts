/** What a model gets to read for one turn: rules, summary, window, message. */

import { toGatewayError } from '@headwater/shared/protocol/errors';
import type { ModelMessage } from '@headwater/shared/providers/contract';
import type { ResolvedModel } from '@headwater/shared/providers/registry';
import type { Logger } from '@headwater/shared/stream/ports';
import { askModels } from '@headwater/shared/text/ask-model';
import {
  fenceSummary,
  promptMessages,
  type SpokenTurn,
} from '@headwater/shared/text/chat/conversation-prompt';
import {
  readSummary,
  summaryRequest,
  summaryTokens,
} from '@headwater/shared/text/chat/conversation-summary';
import {
  chooseWindow,
  MESSAGE_OVERHEAD_TOKENS,
  turnsToFold,
  type WindowSizes,
} from '@headwater/shared/text/chat/conversation-window';
import type { ChatSession, ChatSummary, TurnFacts } from './chat-record.ts';
import type { ChatStore, PastTurn } from './chat-store.ts';
import { measureText } from './measure-text.ts';

/** The question, and where it stands. */
export interface AskedTurn {
  readonly session: ChatSession;
  /** Number of the question. */
  readonly seq: number;
  readonly message: string;
  /** Of the message. */
  readonly tokens: number;
}

/** What preparing needs. */
export interface PreparePorts {
  readonly store: Pick<ChatStore, 'pastTurns' | 'contents' | 'keepSummary'>;
  readonly windowTokens: number;
  /** Most bytes of a prompt's text. */
  readonly maxPromptBytes: number;
  /** Models that may sum up, the first choice first. */
  readonly summarisers: () => Promise<readonly ResolvedModel[]>;
  /** Aborts when no summary is to be waited for any more. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** A prompt, and what is told of it. */
export interface PreparedTurn {
  readonly messages: readonly ModelMessage[];
  readonly facts: TurnFacts;
}

/** Longest time a summary holds up an answer, in ms; then the answer does without. */
const SUMMARY_MS = 20_000;

const FAILED =
  'Earlier messages did not fit into the prompt and could not be summed up: the answer does without them.';

/**
 * Makes it. What has fallen out of the window is folded into the summary first, so that the answer
 * knows of it; where that fails the answer does without, and the next turn tries again. Errors:
 * `payload_too_large` of the newest message, `unavailable` of the database.
 */
export async function prepareTurn(ports: PreparePorts, turn: AskedTurn): Promise<PreparedTurn> {
  const { store, windowTokens } = ports;
  const { session, seq, message } = turn;
  const systemTokens = session.system === null ? 0 : await tokensOf(session.system, windowTokens);
  const sizesWith = (summary: ChatSummary | null): WindowSizes => ({
    windowTokens,
    systemTokens,
    messageTokens: turn.tokens + MESSAGE_OVERHEAD_TOKENS,
    summaryTokens: summary?.tokens ?? 0,
  });

  let { summary } = session;
  let past = await store.pastTurns(session.id, summary?.throughSeq ?? 0, seq);
  const warnings: string[] = [];
  let summaryUsage: TurnFacts['summaryUsage'] = null;
  const folded = turnsToFold(past, sizesWith(summary));
  const lastFolded = folded.at(-1);
  if (lastFolded !== undefined) {
    try {
      const written = await writeSummary(ports, session, folded, lastFolded.seq + 1);
      summary = written.summary;
      summaryUsage = written.usage;
      past = past.slice(folded.length);
      await store.keepSummary(session.id, summary);
    } catch (thrown) {
      const { code } = toGatewayError(thrown);
      ports.logger.warn({ sessionId: session.id, code, err: thrown }, 'summary failed');
      warnings.push(FAILED);
    }
  }

  const window = chooseWindow(past, sizesWith(summary));
  // What an admission would refuse for its bytes is left out: the conversation must be able to go on.
  let leftBytes = ports.maxPromptBytes - bytesOf(session.system ?? '', message);
  const summaryBytes = summary === null ? 0 : bytesOf(fenceSummary(summary.text), '\n\n');
  const told = window.hasSummary && summaryBytes <= leftBytes ? (summary?.text ?? null) : null;
  if (told !== null) leftBytes -= summaryBytes;
  const turns = newestWithin(await readTurns(store, session.id, window.turns, seq), leftBytes);
  return {
    messages: promptMessages({ system: session.system, summary: told, turns, message }),
    facts: { summarised: told !== null, warnings, summaryUsage },
  };
}

async function writeSummary(
  ports: PreparePorts,
  session: ChatSession,
  folded: readonly PastTurn[],
  throughSeq: number,
) {
  const maxTokens = summaryTokens(ports.windowTokens);
  const turns = await readTurns(ports.store, session.id, folded, throughSeq + 1);
  const before = session.summary?.text ?? null;
  const signal = AbortSignal.any([ports.signal, AbortSignal.timeout(SUMMARY_MS)]);
  const messages = summaryRequest(before, turns, maxTokens);
  const answer = await askModels(await ports.summarisers(), { messages, maxTokens }, signal);
  const text = readSummary(answer.text, maxTokens);
  if (text === undefined) throw new Error('the summary is empty');
  const tokens = await tokensOf(fenceSummary(text), ports.windowTokens);
  return { summary: { text, tokens, throughSeq }, usage: answer.usage };
}

async function readTurns(
  store: PreparePorts['store'],
  sessionId: string,
  turns: readonly PastTurn[],
  beforeSeq: number,
): Promise<SpokenTurn[]> {
  const first = turns[0];
  if (first === undefined) return [];
  const texts = await store.contents(sessionId, first.seq, beforeSeq);
  return turns.flatMap(({ seq }) => {
    const user = texts.get(seq);
    const assistant = texts.get(seq + 1);
    return user === undefined || assistant === undefined ? [] : [{ user, assistant }];
  });
}

/** The newest turns whose texts have so many bytes at most. */
function newestWithin(turns: readonly SpokenTurn[], maxBytes: number): readonly SpokenTurn[] {
  let left = maxBytes;
  let first = turns.length;
  while (first > 0) {
    const { user, assistant } = turns[first - 1] as SpokenTurn;
    left -= bytesOf(user, assistant);
    if (left < 0) break;
    first -= 1;
  }
  return turns.slice(first);
}

const bytesOf = (...texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);

async function tokensOf(text: string, windowTokens: number): Promise<number> {
  return (await measureText(text, windowTokens)) + MESSAGE_OVERHEAD_TOKENS;
}
