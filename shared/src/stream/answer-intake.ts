/** What a model said becomes the session's events. */

import type { ModelEvent } from '../providers/contract.ts';
import { takeText } from './answer-text.ts';
import type { StreamEvent } from './event.ts';
import { append, type SessionState, type SessionStep } from './session-state.ts';

/** What came of it. */
export interface Intake {
  readonly step: SessionStep;
  /** The answer is longer than it may be; what still fitted is in the step. */
  readonly overflow: boolean;
}

/** Takes what a streaming session's model said. While draining, only its token counts are kept. */
export function acceptSource(state: SessionState, events: readonly ModelEvent[]): Intake {
  let { heldText, answerBytes, vendorInputTokens, vendorOutputTokens, finishReason } = state;
  const { maxAnswerBytes } = state.request;
  const out: StreamEvent[] = [];
  let overflow = false;
  for (const event of events) {
    if (event.type === 'usage') {
      vendorInputTokens = event.inputTokens ?? vendorInputTokens;
      vendorOutputTokens = event.outputTokens ?? vendorOutputTokens;
    } else if (state.draining || overflow) {
      // Text that nobody reads, and a reason for an end that came after ours.
    } else if (event.type === 'finish') {
      finishReason ??= event.reason;
    } else {
      const bytes = utf8Bytes(event.type === 'text' ? event.text : event.arguments);
      overflow = answerBytes + bytes > maxAnswerBytes;
      if (overflow) continue;
      answerBytes += bytes;
      if (event.type === 'text') {
        const chunk = takeText(heldText, event.text);
        heldText = chunk.held;
        for (const text of chunk.deltas) out.push({ type: 'delta', text });
      } else out.push(event);
    }
  }
  const next: SessionState = {
    ...state,
    heldText,
    answerBytes,
    ...(vendorInputTokens === undefined ? {} : { vendorInputTokens }),
    ...(vendorOutputTokens === undefined ? {} : { vendorOutputTokens }),
    ...(finishReason === undefined ? {} : { finishReason }),
  };
  return { step: append(next, out), overflow };
}

/** Bytes of a text in UTF-8; each half of a surrogate pair counts two. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    if (code < 0x800) bytes += 1;
    else bytes += code >= 0xd800 && code <= 0xdfff ? 1 : 2;
  }
  return bytes;
}
