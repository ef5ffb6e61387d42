/** OpenAI's chat messages, read into the gateway's own. */

import * as z from 'zod';
import type { ContentPart, ModelMessage } from '../providers/contract.ts';

const textPart = z.object({ type: z.literal('text'), text: z.string() });

/** What a model said when it declined; its own words to the next turn. */
const refusalPart = z
  .object({ type: z.literal('refusal'), refusal: z.string() })
  .transform(({ refusal }) => ({ type: 'text' as const, text: refusal }));

const imagePart = z.object({
  type: z.literal('image_url'),
  image_url: z.object({
    url: z.string().regex(/^(?:https:\/\/|data:image\/)/i, {
      error: 'An image is an `https:` or a `data:image/…` URL.',
    }),
    detail: z.enum(['auto', 'low', 'high']).nullish(),
  }),
});

/** A text stands for one part. */
const asParts = (content: unknown) =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content;

const TEXT_ONLY = 'Here a message is a text, or parts of type `text`.';
const textContent = z.preprocess(asParts, z.array(textPart, { error: TEXT_ONLY }).min(1));
const userContent = z.preprocess(
  asParts,
  z
    .array(
      z.discriminatedUnion('type', [textPart, imagePart], {
        error: 'Parts of type `text` and `image_url` are served.',
      }),
      { error: 'A message is a text, or a list of parts.' },
    )
    .min(1),
);
const assistantContent = z.preprocess(
  asParts,
  z.array(z.discriminatedUnion('type', [textPart, refusalPart]), { error: TEXT_ONLY }),
);

const toolCall = z.object({
  id: z.string().min(1),
  type: z.literal('function', { error: 'Only tool calls of type `function` are served.' }),
  function: z.object({ name: z.string().min(1), arguments: z.string() }),
});

/** One message of the request. A `name` is read over: no vendor needs it. */
export const chatMessage = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: textContent }),
  z.object({ role: z.literal('user'), content: userContent }),
  z.object({
    role: z.literal('assistant'),
    content: assistantContent.nullish(),
    tool_calls: z.array(toolCall).nullish(),
    audio: z.null({ error: 'Only text is served.' }).optional(),
    function_call: z.null({ error: 'Use `tool_calls` instead of `function_call`.' }).optional(),
  }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string().min(1), content: textContent }),
]);

type ChatMessage = z.output<typeof chatMessage>;
type ChatPart = z.output<typeof userContent>[number];

/** The conversation in the gateway's words; `developer` is OpenAI's later name of `system`. */
export function toModelMessages(messages: readonly ChatMessage[]): ModelMessage[] {
  return messages.map(toModelMessage);
}

function toModelMessage(message: ChatMessage): ModelMessage {
  switch (message.role) {
    case 'system':
    case 'developer':
      return { role: 'system', content: textOf(message.content) };
    case 'user': {
      const { content } = message;
      const text = { role: 'user' as const, content: textOf(content) };
      const isText = content.length === 1 && content[0]?.type === 'text';
      return isText ? text : { ...text, parts: content.map(toContentPart) };
    }
    case 'assistant': {
      const calls = message.tool_calls ?? [];
      const text = { role: 'assistant' as const, content: textOf(message.content ?? []) };
      if (calls.length === 0) return text;
      const toolCalls = calls.map(({ id, function: { name, arguments: args } }) => ({
        id,
        name,
        arguments: args,
      }));
      return { ...text, toolCalls };
    }
    case 'tool':
      return {
        role: 'tool',
        content: textOf(message.content),
        toolCallId: message.tool_call_id,
      };
  }
}

/** Parts are paragraphs of their own. */
function textOf(parts: readonly ChatPart[]): string {
  return parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

function toContentPart(part: ChatPart): ContentPart {
  if (part.type === 'text') return part;
  const { url, detail } = part.image_url;
  return { type: 'image_url', image_url: { url, ...(detail == null ? {} : { detail }) } };
}
