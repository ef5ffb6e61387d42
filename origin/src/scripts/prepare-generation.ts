/** Makes the task of a script from what was asked for. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ScriptRequest } from '@headwater/shared/protocol/scripts';
import { DEFAULT_PRIORITY } from '@headwater/shared/protocol/tasks';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import { type CallbackPolicy, checkCallbackUrl } from '@headwater/shared/security/callback-guard';
import { fillTemplate } from '@headwater/shared/text/scripts/fill-template';
import type { ScriptTemplate } from '@headwater/shared/text/scripts/template';
import type { ModelNames } from '../answers/name-models.ts';
import { SCRIPT_TASK, type ScriptParams } from '../engines/script-generation/manifest.ts';
import type { TaskDraft } from '../inputs/draft.ts';
import type { ProjectCheck } from './project-check.ts';
import type { TemplateStore } from './template-store.ts';

/** What it takes. */
export interface PreparePorts {
  readonly templates: Pick<TemplateStore, 'choose'>;
  readonly projects: ProjectCheck;
  readonly names: ModelNames;
  readonly registry: Pick<ProviderRegistry, 'resolve'>;
  readonly callbackPolicy: CallbackPolicy;
  /** Of any attempt, in ms; a long script gets more. */
  readonly timeoutMs: number;
}

/** A script that may be accepted. */
interface PreparedGeneration {
  readonly draft: TaskDraft;
  readonly template: Pick<ScriptTemplate, 'id' | 'version'>;
  /** Words. */
  readonly lengthTarget: number;
  /** What went wrong without costing the script. */
  readonly warnings: readonly string[];
}

/** Time of an attempt beyond that of its words, and of a word, in ms: slow models write ten a second. */
const SPARE_MS = 120_000;
const WORD_MS = 100;

/**
 * Prepares it: everything that can be refused is refused here, before anything is kept. Errors:
 * `validation_failed` (template, variables, model, project, callback), `unavailable`.
 */
export async function prepareGeneration(
  ports: PreparePorts,
  owner: string,
  request: ScriptRequest,
  fingerprint: string,
): Promise<PreparedGeneration> {
  const { callback_url: callbackUrl, script_type: scriptType, temperature } = request;
  if (callbackUrl !== undefined) {
    checkCallbackUrl(callbackUrl, ports.callbackPolicy, 'callback_url');
  }
  const template = await ports.templates.choose(owner, scriptType, request.template_id);
  const filled = fillTemplate(template, request.variables);
  const models = await modelsOf(ports, request);
  const facts = await ports.projects.check(request.project_id, request.episode_id);
  const lengthTarget = request.length_target ?? template.default_length;
  const { title, description, language, tone } = request;
  const { warnings, ...details } = facts;
  const params: ScriptParams = {
    models,
    ...(temperature === undefined ? {} : { temperature }),
    brief: {
      ...{ scriptType, title, description, lengthTarget, template: filled, ...details },
      ...(language === undefined ? {} : { language }),
      ...(tone === undefined ? {} : { tone }),
    },
  };
  const draft: TaskDraft = {
    type: SCRIPT_TASK,
    // A copy that is JSON and nothing else.
    input: { params: JSON.parse(JSON.stringify(params)), files: [] },
    priority: DEFAULT_PRIORITY,
    timeoutMs: Math.max(ports.timeoutMs, SPARE_MS + lengthTarget * WORD_MS),
    ...(callbackUrl === undefined ? {} : { callbackUrl }),
    fingerprint,
  };
  return { draft, template, lengthTarget, warnings };
}

async function modelsOf(
  { names, registry }: PreparePorts,
  request: ScriptRequest,
): Promise<ScriptParams['models']> {
  const { model, policy, fallback_models: fallbackModels } = request;
  const named = await names.modelsOf({ model, policy, fallbackModels });
  const models = [named.model, ...named.fallbackModels];
  for (const [index, name] of models.entries()) {
    try {
      registry.resolve(name);
    } catch (thrown) {
      throw index === 0 ? thrown : asFallbackFault(thrown, index - 1);
    }
  }
  return [...new Set(models)];
}

/** The fault of a model's name, told by the field that it came in. */
function asFallbackFault(thrown: unknown, index: number): unknown {
  if (!(thrown instanceof GatewayError) || thrown.code !== 'validation_failed') return thrown;
  const fields = (thrown.details?.fields ?? []).map(({ message }) => ({
    path: `fallback_models.${index}`,
    message,
  }));
  return new GatewayError('validation_failed', thrown.message, {
    cause: thrown,
    details: { fields },
  });
}
