/** A model request → the body of OpenAI's chat completions, for every server that speaks it. */

import type OpenAI from 'openai';
import type { ModelMessage, ModelRequest, ModelTool, ToolChoice } from '../contract.ts';

type Body = OpenAI.Chat.ChatCompletionCreateParamsStreaming;
type Message = OpenAI.Chat.ChatCompletionMessageParam;

/**
 * The request body. Models from o1 on take `max_completion_tokens` and refuse `max_tokens` and any
 * sampling but their own; servers that imitate OpenAI know `max_tokens` alone. Further parameters
 * go word for word, and never over what the gateway itself sets.
 */
export function toBody(request: ModelRequest): Body {
  const { model, maxTokens, temperature, topP, stop, tools, toolChoice } = request;
  const isReasoning = isReasoningModel(model);
  return {
    ...request.openaiParams,
    model,
    messages: request.messages.map(toMessage),
    stream: true,
    stream_options: { include_usage: true },
    ...(isReasoning ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens }),
    ...(temperature === undefined || isReasoning ? {} : { temperature }),
    ...(topP === undefined || isReasoning ? {} : { top_p: topP }),
    ...(stop === undefined ? {} : { stop: [...stop] }),
    ...(tools === undefined ? {} : { tools: tools.map(toTool) }),
    ...(toolChoice === undefined ? {} : { tool_choice: toToolChoice(toolChoice) }),
    ...(request.parallelToolCalls === undefined
      ? {}
      : { parallel_tool_calls: request.parallelToolCalls }),
  };
}

/** True for o1, o3, o4 … and gpt-5 and later, also fine-tuned (`ft:o4-mini:…`). */
export function isReasoningModel(model: string): boolean {
  return /^(?:ft:)?(?:o[0-9]|gpt-(?:[5-9]|[1-9][0-9])(?![0-9]))/.test(model);
}

function toMessage({ role, content, parts, toolCalls, toolCallId }: ModelMessage): Message {
  switch (role) {
    case 'system':
      return { role, content };
    case 'user':
      return { role, content: parts === undefined ? content : [...parts] };
    case 'tool':
      return { role, content, tool_call_id: toolCallId ?? '' };
    case 'assistant': {
      if (toolCalls === undefined || toolCalls.length === 0) return { role, content };
      const calls = toolCalls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: text },
      }));
      return { role, content: content === '' ? null : content, tool_calls: calls };
    }
  }
}

function toTool(tool: ModelTool): OpenAI.Chat.ChatCompletionFunctionTool {
  const { name, description, parameters, strict } = tool;
  return {
    type: 'function',
    function: {
      name,
      ...(description === undefined ? {} : { description }),
      ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
      ...(strict === undefined ? {} : { strict }),
    },
  };
}

function toToolChoice(choice: ToolChoice): OpenAI.Chat.ChatCompletionToolChoiceOption {
  return typeof choice === 'string'
    ? choice
    : { type: 'function', function: { name: choice.name } };
}
