/** A model request → the body of Ollama's chat. */

import type { ChatRequest, Message, Tool } from 'ollama/browser';
import type { ModelMessage, ModelRequest, ModelTool } from '../contract.ts';
import { readImageUrl, refusedImage } from '../image-url.ts';
import { notOffered, refuseShapingParams } from '../openai-params.ts';
import { readToolArguments } from '../tool-arguments.ts';

const VENDOR = 'Ollama';

/**
 * The request body. Ollama takes system messages wherever they stand, and JSON answers by `format`.
 * It cannot be made to call a tool, and takes no image by URL: both are `validation_failed`, as is
 * every other wish that would change the answer's shape.
 */
export function toBody(request: ModelRequest): ChatRequest & { stream: true } {
  refuseShapingParams(request, VENDOR, ['response_format']);
  const tools = toTools(request);
  const { response_format: wish } = request.openaiParams ?? {};
  const format = toFormat(wish);
  return {
    model: request.model,
    messages: request.messages.map((message, index) => toMessage(message, index, request.messages)),
    stream: true,
    ...(tools === undefined ? {} : { tools }),
    ...(format === undefined ? {} : { format }),
    options: toOptions(request),
  };
}

function toOptions(request: ModelRequest): NonNullable<ChatRequest['options']> {
  const { maxTokens, temperature, topP, stop, openaiParams = {} } = request;
  const { seed, frequency_penalty, presence_penalty } = openaiParams;
  return {
    num_predict: maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { top_p: topP }),
    ...(stop === undefined ? {} : { stop: [...stop] }),
    ...(typeof seed === 'number' ? { seed } : {}),
    ...(typeof frequency_penalty === 'number' ? { frequency_penalty } : {}),
    ...(typeof presence_penalty === 'number' ? { presence_penalty } : {}),
  };
}

function toMessage(
  message: ModelMessage,
  index: number,
  messages: readonly ModelMessage[],
): Message {
  const { role, content, parts = [], toolCalls = [] } = message;
  const images = parts.flatMap((part) =>
    part.type === 'image_url' ? [toBase64(part.image_url.url)] : [],
  );
  const texts = parts.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const calls = toolCalls.map((call) => ({
    function: { name: call.name, arguments: readToolArguments(call) },
  }));
  const toolName = role === 'tool' ? nameOfCall(message, messages.slice(0, index)) : undefined;
  return {
    role,
    content: texts.length === 0 ? content : texts.join('\n'),
    ...(images.length === 0 ? {} : { images }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
    ...(toolName === undefined ? {} : { tool_name: toolName }),
  };
}

/** Ollama knows a result by its tool's name, not by the call's id. Ids may come again: the last counts. */
function nameOfCall(
  { toolCallId }: ModelMessage,
  before: readonly ModelMessage[],
): string | undefined {
  return before.flatMap(({ toolCalls = [] }) => toolCalls).findLast(({ id }) => id === toolCallId)
    ?.name;
}

function toBase64(url: string): string {
  const source = readImageUrl(url);
  if ('base64' in source) return source.base64;
  throw refusedImage('must be a base64 data: URL for a model of Ollama, which fetches nothing');
}

function toTools({ tools, toolChoice }: ModelRequest): Tool[] | undefined {
  if (tools === undefined || toolChoice === 'none') return undefined;
  if (toolChoice !== undefined && toolChoice !== 'auto') throw notOffered(VENDOR, ['tool_choice']);
  return tools.map(toTool);
}

function toTool({ name, description, parameters }: ModelTool): Tool {
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      // The client's type spells out a part of JSON schema; the server takes any.
      ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
    },
  };
}

/** https://github.com/ollama/ollama/blob/main/docs/api.md: `json`, or a schema. */
function toFormat(wish: unknown): string | object | undefined {
  const { type, json_schema } = (wish ?? {}) as { type?: unknown; json_schema?: unknown };
  switch (type) {
    case undefined:
    case 'text':
      return undefined;
    case 'json_object':
      return 'json';
    case 'json_schema': {
      const schema = (json_schema as { schema?: unknown } | null | undefined)?.schema;
      return typeof schema === 'object' && schema !== null ? schema : 'json';
    }
    default:
      throw notOffered(VENDOR, ['response_format']);
  }
}
