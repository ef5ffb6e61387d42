/** A model request → the body of Anthropic's Messages API. */

import type Anthropic from '@anthropic-ai/sdk';
import type { ModelMessage, ModelRequest, ModelTool } from '../contract.ts';
import { readImageUrl, refusedImage } from '../image-url.ts';
import { refuseShapingParams } from '../openai-params.ts';
import { readToolArguments } from '../tool-arguments.ts';

type Body = Anthropic.MessageCreateParamsStreaming;
type UserBlock = Anthropic.TextBlockParam | Anthropic.ImageBlockParam;

const MEDIA_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'] as const;

/**
 * The request body. System messages stand outside the turns, joined by blank lines in the order
 * they were said; results of tools that were called together are one user turn. API version
 * 2026-10-21, which this SDK speaks, knows neither temperature nor top_p: they are left out.
 * Throws `validation_failed` for what would change the answer's shape and has no counterpart.
 */
export function toBody(request: ModelRequest): Body {
  refuseShapingParams(request, 'Anthropic');
  const { stop, tools } = request;
  const system = request.messages.filter(({ role }) => role === 'system');
  const toolChoice = toToolChoice(request);
  return {
    model: request.model,
    max_tokens: request.maxTokens,
    messages: toTurns(request.messages),
    stream: true,
    ...(system.length === 0 ? {} : { system: system.map((m) => m.content).join('\n\n') }),
    ...(stop === undefined ? {} : { stop_sequences: [...stop] }),
    ...(tools === undefined ? {} : { tools: tools.map(toTool) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toolChoice }),
  };
}

function toTurns(messages: readonly ModelMessage[]): Anthropic.MessageParam[] {
  const turns: Anthropic.MessageParam[] = [];
  let results: Anthropic.ToolResultBlockParam[] | undefined;
  for (const message of messages) {
    if (message.role === 'system') continue;
    if (message.role !== 'tool') {
      results = undefined;
      turns.push(toTurn(message));
      continue;
    }
    // All results of one turn of calls must come back in one turn.
    if (results === undefined) {
      results = [];
      turns.push({ role: 'user', content: results });
    }
    results.push(toToolResult(message));
  }
  return turns;
}

function toTurn({ role, content, parts, toolCalls }: ModelMessage): Anthropic.MessageParam {
  if (role === 'assistant') {
    if (toolCalls === undefined || toolCalls.length === 0) return { role, content };
    const calls = toolCalls.map((call) => ({
      type: 'tool_use' as const,
      id: call.id,
      name: call.name,
      input: readToolArguments(call),
    }));
    // An empty text block is refused.
    return {
      role,
      content: content === '' ? calls : [{ type: 'text', text: content }, ...calls],
    };
  }
  return { role: 'user', content: parts === undefined ? content : toBlocks(parts) };
}

function toToolResult({
  content,
  parts,
  toolCallId,
}: ModelMessage): Anthropic.ToolResultBlockParam {
  return {
    type: 'tool_result',
    tool_use_id: toolCallId ?? '',
    content: parts === undefined ? content : toBlocks(parts),
  };
}

function toBlocks(parts: NonNullable<ModelMessage['parts']>): UserBlock[] {
  return parts.flatMap((part): UserBlock[] => {
    if (part.type === 'text') return part.text === '' ? [] : [{ type: 'text', text: part.text }];
    const source = readImageUrl(part.image_url.url);
    if ('url' in source) return [{ type: 'image', source: { type: 'url', url: source.url } }];
    const mediaType = MEDIA_TYPES.find((type) => type === source.mediaType);
    if (mediaType === undefined) throw refusedImage('must be a JPEG, PNG, GIF or WebP');
    return [
      { type: 'image', source: { type: 'base64', media_type: mediaType, data: source.base64 } },
    ];
  });
}

function toTool({ name, description, parameters, strict }: ModelTool): Anthropic.Tool {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: { ...parameters, type: 'object' },
    ...(strict === undefined ? {} : { strict }),
  };
}

/** `undefined` leaves the vendor's default, which is `auto` where there are tools. */
function toToolChoice(request: ModelRequest): Anthropic.ToolChoice | undefined {
  const { tools, toolChoice, parallelToolCalls } = request;
  if (tools === undefined || tools.length === 0) return undefined;
  const one = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  switch (toolChoice) {
    case undefined:
      return parallelToolCalls === false ? { type: 'auto', ...one } : undefined;
    case 'auto':
      return { type: 'auto', ...one };
    case 'none':
      return { type: 'none' };
    case 'required':
      return { type: 'any', ...one };
    default:
      return { type: 'tool', name: toolChoice.name, ...one };
  }
}
