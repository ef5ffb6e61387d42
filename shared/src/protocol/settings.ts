/** The settings both hosts share: environment variables of the origin, vars and secrets of the edge. */

import * as z from 'zod';
import { ANSWER_SETTINGS, type AnswerSettings, readAnswerSettings } from './answer-settings.ts';
import { CHAT_SETTINGS, type ChatSettings, readChatSettings } from './chat-settings.ts';
import {
  DOCUMENT_SETTINGS,
  type DocumentSettings,
  readDocumentSettings,
} from './document-settings.ts';
import {
  RETRIEVAL_SETTINGS,
  type RetrievalSettings,
  readRetrievalSettings,
} from './retrieval-settings.ts';
import { readScriptSettings, SCRIPT_SETTINGS, type ScriptSettings } from './script-settings.ts';
import {
  apiVersion,
  flag,
  hostList,
  httpUrl,
  httpUrlList,
  modelName,
  ollamaHost,
  originList,
  postgresUrl,
  redisUrl,
  secretList,
  text,
  wholeNumber,
} from './setting-types.ts';
import { readStreamLimits, STREAM_LIMIT_SETTINGS, type StreamLimits } from './stream-limits.ts';
import {
  readTaskSettings,
  TASK_SETTINGS,
  TASK_SETTINGS_TOGETHER,
  type TaskSettings,
} from './task-settings.ts';
import {
  DEFAULT_TIMEOUTS,
  OLLAMA_TIMEOUTS,
  readGuard,
  readTimeouts,
  UPSTREAM_SETTINGS,
  type UpstreamGuard,
  type VendorTimeouts,
} from './upstream-settings.ts';

const SETTINGS = {
  DEV_MODE: flag.optional(),
  JWT_SECRET: secretList,
  JWT_JWKS_URL: httpUrl.optional(),
  JWT_ISSUER: text.optional(),
  JWT_AUDIENCE: text.optional(),
  ALLOWED_ORIGINS: originList.optional(),
  INTERNAL_API_KEY: text.optional(),
  PUBLIC_URL: httpUrl.optional(),
  STREAM_TTL_SECONDS: wholeNumber(1, 86_400).optional(),
  STREAM_RETENTION_SECONDS: wholeNumber(0, 2_592_000).optional(),
  CALLBACK_ALLOWED_HOSTS: hostList.optional(),
  RATE_LIMIT_PER_MINUTE: wholeNumber(1, 100_000).optional(),
  TASK_RATE_LIMIT_PER_MINUTE: wholeNumber(1, 100_000).optional(),
  ...STREAM_LIMIT_SETTINGS,
  OPENAI_API_KEY: text.optional(),
  OPENAI_BASE_URL: httpUrl.optional(),
  AZURE_OPENAI_API_KEY: text.optional(),
  AZURE_OPENAI_ENDPOINT: httpUrl.optional(),
  AZURE_OPENAI_API_VERSION: apiVersion.optional(),
  ANTHROPIC_API_KEY: text.optional(),
  ANTHROPIC_BASE_URL: httpUrl.optional(),
  OLLAMA_HOST: ollamaHost.optional(),
  ORIGIN_URL: httpUrlList.optional(),
  DEFAULT_MODEL: modelName.optional(),
  ...UPSTREAM_SETTINGS,
};

/** What an origin alone reads: where it keeps things, and who shares them. */
const ORIGIN_SETTINGS = {
  REDIS_URL: redisUrl.optional(),
  DATABASE_URL: postgresUrl.optional(),
  DATA_DIR: text.optional(),
  SHUTDOWN_GRACE_SECONDS: wholeNumber(0, 3600).optional(),
  ...TASK_SETTINGS,
  ...SCRIPT_SETTINGS,
  ...ANSWER_SETTINGS,
  ...CHAT_SETTINGS,
  ...DOCUMENT_SETTINGS,
  ...RETRIEVAL_SETTINGS,
};

const LISTEN_SETTINGS = {
  HOST: text.optional(),
  PORT: wholeNumber(0, 65_535).optional(),
};

/** Names of the settings {@link parseSettings} reads. */
export const SETTING_NAMES: readonly string[] = Object.keys(SETTINGS);

/** Names of the settings {@link parseOriginSettings} reads. */
export const ORIGIN_SETTING_NAMES: readonly string[] = Object.keys(ORIGIN_SETTINGS);

/** Names of the settings {@link parseListenSettings} reads. */
export const LISTEN_SETTING_NAMES: readonly string[] = Object.keys(LISTEN_SETTINGS);

/** The key of a vendor, and its base URL (without a slash at the end) when it is not its own. */
export interface VendorSettings {
  readonly apiKey: string;
  readonly baseUrl?: string;
}

/** A resource of Azure OpenAI. */
export interface AzureSettings {
  readonly apiKey: string;
  /** Such as `https://my-resource.openai.azure.com`. */
  readonly endpoint: string;
  /** Default {@link AZURE_API_VERSION}. */
  readonly apiVersion: string;
}

/**
 * The newest dated version of Azure's inference API that is generally available
 * (https://learn.microsoft.com/azure/ai-services/openai/reference).
 */
export const AZURE_API_VERSION = '2024-10-21';

/** The settings, parsed; frozen through and through. URLs have no slash at their end. */
export interface Settings {
  /** Default false: closed as production is. */
  readonly devMode: boolean;
  /** At least one, each at least 32 bytes; the first signs, all verify. */
  readonly jwtSecrets: readonly [string, ...string[]];
  /** Verifies callers in place of `jwtSecrets`; holds `jwtIssuer` and `jwtAudience` too. */
  readonly jwks?: { readonly url: string; readonly issuer?: string; readonly audience?: string };
  readonly jwtIssuer?: string;
  readonly jwtAudience?: string;
  /** Default none. */
  readonly allowedOrigins: readonly string[];
  readonly internalApiKey?: string;
  readonly publicUrl?: string;
  /** Default 60 s. */
  readonly streamTtlMs: number;
  /** Default 600 s. */
  readonly streamRetentionMs: number;
  /** Default none, which means any public host. */
  readonly callbackAllowedHosts: readonly string[];
  /** Default 60. */
  readonly rateLimitPerMinute: number;
  /** Submissions of tasks, at the edge; a batch is one. Default 600. */
  readonly taskRateLimitPerMinute: number;
  readonly limits: StreamLimits;
  readonly openai?: VendorSettings;
  /** Its models are `azure/<deployment>`. */
  readonly azure?: AzureSettings;
  readonly anthropic?: VendorSettings;
  readonly ollamaHost?: string;
  /** Default none. */
  readonly originUrls: readonly string[];
  readonly defaultModel?: string;
  /** Default 60 s to connect, 60 s to a first token, 60 s of silence, 900 s in all. */
  readonly upstreamTimeouts: VendorTimeouts;
  /** The same, but 300 s to connect and to a first token where the settings do not say. */
  readonly ollamaTimeouts: VendorTimeouts;
  readonly upstreamGuard: UpstreamGuard;
}

/** What an origin has beyond {@link Settings}. */
export interface OriginSettings {
  /** Without it the origin is one process, and keeps what must last in `dataDir`. */
  readonly redisUrl?: string;
  /** Postgres; without it PGlite in `dataDir`, where there is no `redisUrl` either. */
  readonly databaseUrl?: string;
  /** Default `.data`. */
  readonly dataDir: string;
  /** Time live streams have to end once the process is asked to stop. Default 5 s. */
  readonly shutdownGraceMs: number;
  readonly tasks: TaskSettings;
  readonly documents: DocumentSettings;
  readonly scripts: ScriptSettings;
  readonly answers: AnswerSettings;
  readonly chat: ChatSettings;
  readonly retrieval: RetrievalSettings;
}

/** Where an origin listens. */
export interface ListenSettings {
  /** Default `0.0.0.0`. */
  readonly host: string;
  /** Default 8000; 0 takes any free port. */
  readonly port: number;
}

/** Settings that cannot be used. The message names every fault, one a line, and shows no value. */
export class SettingsError extends Error {
  readonly faults: readonly SettingFault[];

  constructor(faults: readonly SettingFault[]) {
    const lines = faults.map((fault) => `${fault.name}: ${fault.message}`);
    super(['These settings cannot be used:', ...lines].join('\n'));
    this.name = 'SettingsError';
    this.faults = faults;
  }
}

/** One fault of one setting. */
export interface SettingFault {
  readonly name: string;
  readonly message: string;
}

/**
 * Reads the shared settings from `env`; what it does not know it leaves alone, and an empty value
 * counts as none. Throws {@link SettingsError} with all the faults together.
 */
export function parseSettings(env: Record<string, unknown>): Settings {
  const given = pickGiven(env, SETTING_NAMES);
  const read = readAll(SETTINGS, given, missingPartners(given, NEEDED_TOGETHER));
  const jwtNames = {
    ...optional('issuer', read.JWT_ISSUER),
    ...optional('audience', read.JWT_AUDIENCE),
  };
  return deepFreeze<Settings>({
    devMode: read.DEV_MODE ?? false,
    jwtSecrets: read.JWT_SECRET,
    ...(read.JWT_JWKS_URL === undefined ? {} : { jwks: { url: read.JWT_JWKS_URL, ...jwtNames } }),
    ...optional('jwtIssuer', read.JWT_ISSUER),
    ...optional('jwtAudience', read.JWT_AUDIENCE),
    allowedOrigins: read.ALLOWED_ORIGINS ?? [],
    ...optional('internalApiKey', read.INTERNAL_API_KEY),
    ...optional('publicUrl', read.PUBLIC_URL),
    streamTtlMs: (read.STREAM_TTL_SECONDS ?? 60) * 1000,
    streamRetentionMs: (read.STREAM_RETENTION_SECONDS ?? 600) * 1000,
    callbackAllowedHosts: read.CALLBACK_ALLOWED_HOSTS ?? [],
    rateLimitPerMinute: read.RATE_LIMIT_PER_MINUTE ?? 60,
    taskRateLimitPerMinute: read.TASK_RATE_LIMIT_PER_MINUTE ?? 600,
    limits: readStreamLimits(read),
    ...optional('openai', vendor(read.OPENAI_API_KEY, read.OPENAI_BASE_URL)),
    ...optional('azure', azure(read)),
    ...optional('anthropic', vendor(read.ANTHROPIC_API_KEY, read.ANTHROPIC_BASE_URL)),
    ...optional('ollamaHost', read.OLLAMA_HOST),
    originUrls: read.ORIGIN_URL ?? [],
    ...optional('defaultModel', read.DEFAULT_MODEL),
    upstreamTimeouts: readTimeouts(read, DEFAULT_TIMEOUTS),
    ollamaTimeouts: readTimeouts(read, OLLAMA_TIMEOUTS),
    upstreamGuard: readGuard(read),
  });
}

/** Reads what an origin alone is set to. Throws {@link SettingsError}. */
export function parseOriginSettings(env: Record<string, unknown>): OriginSettings {
  const given = pickGiven(env, ORIGIN_SETTING_NAMES);
  const read = readAll(ORIGIN_SETTINGS, given, missingPartners(given, TASK_SETTINGS_TOGETHER));
  return deepFreeze<OriginSettings>({
    ...optional('redisUrl', read.REDIS_URL),
    ...optional('databaseUrl', read.DATABASE_URL),
    dataDir: read.DATA_DIR ?? '.data',
    shutdownGraceMs: (read.SHUTDOWN_GRACE_SECONDS ?? 5) * 1000,
    tasks: readTaskSettings(read),
    documents: readDocumentSettings(read),
    retrieval: readRetrievalSettings(read),
    scripts: readScriptSettings(read),
    answers: readAnswerSettings(read),
    chat: readChatSettings(read),
  });
}

/** Reads `HOST` and `PORT` of an origin. Throws {@link SettingsError}. */
export function parseListenSettings(env: Record<string, unknown>): ListenSettings {
  const read = readAll(LISTEN_SETTINGS, pickGiven(env, LISTEN_SETTING_NAMES), []);
  return Object.freeze({ host: read.HOST ?? '0.0.0.0', port: read.PORT ?? 8000 });
}

/** Trims; a Worker's vars may be numbers and booleans, and those count as their text. */
function pickGiven(env: Record<string, unknown>, names: readonly string[]): Map<string, unknown> {
  const given = new Map<string, unknown>();
  for (const name of names) {
    const value = env[name];
    if (value === undefined || value === null) continue;
    const plain = typeof value === 'number' || typeof value === 'boolean' ? String(value) : value;
    const trimmed = typeof plain === 'string' ? plain.trim() : plain;
    if (trimmed !== '') given.set(name, trimmed);
  }
  return given;
}

/** Half a set-up would leave a vendor dead without a word. */
const NEEDED_TOGETHER = [
  ['OPENAI_BASE_URL', 'OPENAI_API_KEY'],
  ['ANTHROPIC_BASE_URL', 'ANTHROPIC_API_KEY'],
  ['AZURE_OPENAI_ENDPOINT', 'AZURE_OPENAI_API_KEY'],
  ['AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_ENDPOINT'],
] as const;

function missingPartners(
  given: ReadonlyMap<string, unknown>,
  together: readonly (readonly [name: string, needed: string])[],
): SettingFault[] {
  return together
    .filter(([name, needed]) => given.has(name) && !given.has(needed))
    .map(([name, needed]) => ({
      name: needed,
      message: needed.endsWith('_API_KEY')
        ? `is needed because ${name} is set; give any text if that server asks for no key.`
        : `is needed because ${name} is set.`,
    }));
}

function readAll<Shape extends z.ZodRawShape>(
  shape: Shape,
  given: ReadonlyMap<string, unknown>,
  otherFaults: readonly SettingFault[],
): z.output<z.ZodObject<Shape>> {
  const result = z.object(shape).safeParse(Object.fromEntries(given));
  const faults = (result.error?.issues ?? []).map((issue) => ({
    name: String(issue.path[0] ?? 'settings'),
    message: issue.message,
  }));
  if (!result.success || otherFaults.length > 0) {
    throw new SettingsError([...faults, ...otherFaults]);
  }
  return result.data;
}

function vendor(apiKey: string | undefined, baseUrl: string | undefined) {
  return apiKey === undefined ? undefined : { apiKey, ...optional('baseUrl', baseUrl) };
}

function azure(read: {
  readonly AZURE_OPENAI_API_KEY?: string | undefined;
  readonly AZURE_OPENAI_ENDPOINT?: string | undefined;
  readonly AZURE_OPENAI_API_VERSION?: string | undefined;
}): AzureSettings | undefined {
  const { AZURE_OPENAI_API_KEY: apiKey, AZURE_OPENAI_ENDPOINT: endpoint } = read;
  if (apiKey === undefined || endpoint === undefined) return undefined;
  return { apiKey, endpoint, apiVersion: read.AZURE_OPENAI_API_VERSION ?? AZURE_API_VERSION };
}

/** `{ [name]: value }`, or nothing to spread when there is no value. */
function optional<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [name in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Value });
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  }
  return Object.freeze(value);
}
