/**
 * `POST /v1/chat/completions`: OpenAI's request, read into the gateway's own words.
 * https://platform.openai.com/docs/api-reference/chat/create
 */

import * as z from 'zod';
import { GatewayError } from '../protocol/errors.ts';
import { DEFAULT_MAX_TOKENS } from '../protocol/init-stream.ts';
import type { ModelRequest, ToolChoice } from '../providers/contract.ts';
import { chatMessage, toModelMessages } from './chat-messages.ts';

/** Models that may take over, at most; as in `POST /init-stream`. */
const MAX_FALLBACK_MODELS = 5;

const modelName = z.string().min(1).max(200);

/** A parameter that would change the answer's shape; `null` says the same as leaving it out. */
const refused = (error: string) => z.null({ error }).optional();

const tool = z.object({
  type: z.literal('function', { error: 'Only tools of type `function` are served.' }),
  function: z.object({
    name: z.string().min(1),
    description: z.string().nullish(),
    parameters: z.record(z.string(), z.unknown()).nullish(),
    strict: z.boolean().nullish(),
  }),
});

const toolChoice = z.union(
  [
    z.enum(['auto', 'none', 'required']),
    z.object({ type: z.literal('function'), function: z.object({ name: z.string().min(1) }) }),
  ],
  { error: 'Use `auto`, `none`, `required` or one function by name.' },
);

/** What is not named here reaches vendors that speak OpenAI's protocol word for word. */
const chatRequestSchema = z.looseObject({
  model: modelName.nullish(),
  /** Headwater's own, as OpenRouter has it: models that take over, in order. */
  models: z.array(modelName).max(MAX_FALLBACK_MODELS).nullish(),
  messages: z.array(chatMessage).min(1),
  max_tokens: z.int().min(1).max(1_000_000).nullish(),
  max_completion_tokens: z.int().min(1).max(1_000_000).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  stop: z.union([z.string().min(1), z.array(z.string().min(1)).max(16)]).nullish(),
  tools: z.array(tool).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  user: z.string().max(512).nullish(),
  n: z.literal(1, { error: 'One choice is given: leave `n` out.' }).nullish(),
  logprobs: z.literal(false, { error: 'Log probabilities are not given.' }).nullish(),
  top_logprobs: z.literal(0, { error: 'Log probabilities are not given.' }).nullish(),
  modalities: z.array(z.literal('text', { error: 'Only text is answered.' })).nullish(),
  audio: refused('Only text is answered.'),
  functions: refused('Use `tools` instead of `functions`.'),
  function_call: refused('Use `tool_choice` instead of `function_call`.'),
});

/** A chat request that can be served. */
export interface ChatRequest {
  /** The model asked for, then those that may take over; empty means the default. */
  readonly models: readonly string[];
  readonly request: Omit<ModelRequest, 'model' | 'streamId'>;
  readonly stream: boolean;
  /** With `stream`: the answer ends with a chunk of token counts. */
  readonly includeUsage: boolean;
  /** The caller's name for its own end user. */
  readonly user: string | null;
}

/** Reads a request body. Errors: `validation_failed` with every faulty field. */
export function parseChatRequest(body: Record<string, unknown>): ChatRequest {
  const result = chatRequestSchema.safeParse(body);
  if (!result.success) throw faultyRequest(result.error);
  const { model, models, messages, max_tokens, max_completion_tokens, ...rest } = result.data;
  const { temperature, top_p, stop, tools, tool_choice, parallel_tool_calls } = rest;
  const openaiParams = paramsOf(body);
  const stops = typeof stop === 'string' ? [stop] : (stop ?? []);
  return {
    models: [...new Set([...(model == null ? [] : [model]), ...(models ?? [])])],
    stream: rest.stream === true,
    includeUsage: rest.stream_options?.include_usage === true,
    user: rest.user ?? null,
    request: {
      messages: toModelMessages(messages),
      maxTokens: max_completion_tokens ?? max_tokens ?? DEFAULT_MAX_TOKENS,
      ...(temperature == null ? {} : { temperature }),
      ...(top_p == null ? {} : { topP: top_p }),
      ...(stops.length === 0 ? {} : { stop: stops }),
      ...(tools == null || tools.length === 0 ? {} : { tools: tools.map(toModelTool) }),
      ...(tool_choice == null ? {} : { toolChoice: toToolChoice(tool_choice) }),
      ...(parallel_tool_calls == null ? {} : { parallelToolCalls: parallel_tool_calls }),
      ...(Object.keys(openaiParams).length === 0 ? {} : { openaiParams }),
    },
  };
}

/** `user` is read here, and is the vendor's to know as well. */
const OURS = new Set(Object.keys(chatRequestSchema.shape).filter((name) => name !== 'user'));

/** Everything that no field of ours stands for; a `null` stands for the vendor's default. */
function paramsOf(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value != null && !OURS.has(name)),
  );
}

function toModelTool({
  function: { name, description, parameters, strict },
}: z.output<typeof tool>) {
  return {
    name,
    ...(description == null ? {} : { description }),
    ...(parameters == null ? {} : { parameters }),
    ...(strict == null ? {} : { strict }),
  };
}

function toToolChoice(choice: z.output<typeof toolChoice>): ToolChoice {
  return typeof choice === 'string' ? choice : { name: choice.function.name };
}

function faultyRequest(error: z.ZodError): GatewayError {
  const fields = error.issues.map(({ path, message }) => ({ path: path.join('.'), message }));
  const [first] = fields;
  const message = first === undefined ? '' : ` ${first.path || 'body'}: ${first.message}`;
  return new GatewayError('validation_failed', `The request has faults.${message}`, {
    details: { fields },
  });
}
