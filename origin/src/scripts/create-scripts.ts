/** Everything an origin makes once for its scripts. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { ScriptSettings } from '@headwater/shared/protocol/script-settings';
import type { Settings } from '@headwater/shared/protocol/settings';
import type { ProviderRegistry } from '@headwater/shared/providers/registry';
import type { Clock, Logger } from '@headwater/shared/stream/ports';
import { createTimerAlarm } from '@headwater/shared/stream/timer-alarm';
import type { TaskRecord } from '@headwater/shared/tasks/task';
import type { ModelNames } from '../answers/name-models.ts';
import type { Database } from '../database/database.ts';
import type { OriginTasks } from '../tasks/open-tasks.ts';
import { createGenerationArchive } from './generation-archive.ts';
import { createGenerationService, type GenerationService } from './generation-service.ts';
import { createGenerationStore } from './generation-store.ts';
import { createProjectCheck } from './project-check.ts';
import { createTemplateStore, type TemplateStore } from './template-store.ts';

/** What they are wired to. */
export interface ScriptPorts {
  readonly database: Database;
  readonly tasks: Pick<OriginTasks, 'intake' | 'service' | 'texts' | 'limits'>;
  readonly names: ModelNames;
  readonly registry: Pick<ProviderRegistry, 'resolve'>;
  readonly settings: Pick<Settings, 'callbackAllowedHosts' | 'devMode'>;
  readonly scripts: ScriptSettings;
  /** Of one attempt of a task, in ms. */
  readonly taskTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** Default: the platform's timers. */
  readonly alarm?: typeof createTimerAlarm;
}

/** Scripts and their templates. */
export interface Scripts {
  readonly generations: GenerationService;
  readonly templates: TemplateStore;
  /** Notes the ends that nobody noted, now and from now on. Before old tasks are forgotten. */
  start(): Promise<void>;
  close(): void;
}

/** Wires them. */
export function createScripts(ports: ScriptPorts): Scripts {
  const { database, tasks, settings, clock, logger } = ports;
  const store = createGenerationStore(database);
  const templates = createTemplateStore(database, clock);

  async function task(owner: string, taskId: string): Promise<TaskRecord | undefined> {
    try {
      const found = await tasks.service.find(owner, taskId);
      return found.kind === 'task' ? found.record : undefined;
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.code === 'not_found') return undefined;
      throw thrown;
    }
  }

  const archive = createGenerationArchive({
    ...{ store, task, texts: tasks.texts, clock, logger },
    isOpen: () => database.look().state !== 'closed',
    alarm: ports.alarm ?? createTimerAlarm,
    retentionMs: ports.scripts.retentionMs,
  });
  const generations = createGenerationService({
    ...{ store, archive, templates, clock, logger },
    projects: createProjectCheck({
      ...{ url: ports.scripts.projectServiceUrl, clock, logger },
      fetch: ports.fetch ?? fetch,
    }),
    names: ports.names,
    registry: ports.registry,
    callbackPolicy: {
      allowedHosts: settings.callbackAllowedHosts,
      allowLoopback: settings.devMode,
    },
    intake: tasks.intake,
    tasks: tasks.service,
    texts: tasks.texts,
    timeoutMs: ports.taskTimeoutMs,
  });
  return {
    generations,
    templates,
    start: archive.start,
    close: archive.close,
  };
}
