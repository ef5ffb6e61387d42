/** Reads the arguments of a tool call, for vendors that want them as an object. */

import { GatewayError } from '../protocol/errors.ts';
import type { ToolCall } from './contract.ts';

/** The JSON object of `call`; nothing at all is an empty one. Throws `validation_failed` otherwise. */
export function readToolArguments(call: ToolCall): Record<string, unknown> {
  if (call.arguments.trim() === '') return {};
  const parsed = parseOrUndefined(call.arguments);
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  const message = 'the arguments of a tool call must be the text of a JSON object';
  throw new GatewayError('validation_failed', `In messages, ${message}.`, {
    details: { fields: [{ path: 'messages', message }] },
  });
}

function parseOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The caller refuses it, as it refuses any other wrong value.
    return undefined;
  }
}
