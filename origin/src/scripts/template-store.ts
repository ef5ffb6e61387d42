/** Templates: those that come with the gateway, and callers' own. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { TemplateRequest } from '@headwater/shared/protocol/scripts';
import { requestFaults } from '@headwater/shared/protocol/tasks';
import type { Clock } from '@headwater/shared/stream/ports';
import {
  BUILT_IN_TEMPLATES,
  builtInTemplate,
} from '@headwater/shared/text/scripts/built-in-templates';
import type { ScriptTemplate, TemplateBody } from '@headwater/shared/text/scripts/template';
import type { Database } from '../database/database.ts';
import { isDuplicate } from '../database/database-fault.ts';
import { and, count, desc, eq, max, sql } from '../database/orm.ts';
import { scriptTemplates } from '../database/schema/scripts.ts';
import { newId } from '../tasks/task-id.ts';

/** Templates, and versions of one template, that a caller may keep. */
const MAX_TEMPLATES = 500;
const MAX_VERSIONS = 1_000;

/** A template as a caller sees it. */
interface TemplateView extends ScriptTemplate {
  readonly is_built_in: boolean;
}

/** The templates of all callers; each sees its own beside the built-in ones. */
export interface TemplateStore {
  /** Newest versions; the built-in ones first. */
  list(owner: string, scriptType?: string): Promise<readonly TemplateView[]>;
  /** The newest version, or the one named. Errors: `not_found`. */
  find(owner: string, id: string, version?: number): Promise<TemplateView>;
  /**
   * The one that a script is to be written after: by its id, else the built-in one of the type, else
   * the caller's newest. Errors: `validation_failed` for an id or a type that there is none of.
   */
  choose(owner: string, scriptType: string, id: string | undefined): Promise<ScriptTemplate>;
  /** Errors: `validation_failed` for a reserved id, `conflict` for one's own, `unprocessable` for too many. */
  create(owner: string, request: TemplateRequest): Promise<TemplateView>;
  /** Makes a new version. Errors: `not_found`, `forbidden` for a built-in one, `unprocessable`. */
  replace(owner: string, id: string, body: TemplateBody): Promise<TemplateView>;
  /** All versions; scripts keep what they were written after. Errors: `not_found`, `forbidden`. */
  remove(owner: string, id: string): Promise<void>;
}

/** Makes the store. */
export function createTemplateStore(database: Database, clock: Clock): TemplateStore {
  async function ownOf(
    owner: string,
    id: string,
    version?: number,
  ): Promise<TemplateView | undefined> {
    const [row] = await database.use((db) =>
      db
        .select()
        .from(scriptTemplates)
        .where(
          and(
            eq(scriptTemplates.owner, owner),
            eq(scriptTemplates.id, id),
            version === undefined ? undefined : eq(scriptTemplates.version, version),
          ),
        )
        .orderBy(desc(scriptTemplates.version))
        .limit(1),
    );
    return row && viewOf(row);
  }

  async function newestOf(owner: string, scriptType?: string): Promise<readonly TemplateView[]> {
    const { id, version } = scriptTemplates;
    const rows = await database.use((db) =>
      db
        .select()
        .from(scriptTemplates)
        .where(
          and(
            eq(scriptTemplates.owner, owner),
            sql`${version} = (select max(other.version) from ${scriptTemplates} other where other.owner = ${owner} and other.id = ${id})`,
          ),
        )
        .orderBy(desc(scriptTemplates.createdAtMs), id),
    );
    return rows
      .filter((row) => scriptType === undefined || row.scriptType === scriptType)
      .map(viewOf);
  }

  async function insert(
    owner: string,
    id: string,
    version: number,
    body: TemplateBody,
  ): Promise<TemplateView> {
    const { script_type: scriptType, ...rest } = body;
    const createdAtMs = clock.nowMs();
    try {
      await database.use((db) =>
        db
          .insert(scriptTemplates)
          .values({ owner, id, version, scriptType, body: JSON.stringify(rest), createdAtMs }),
      );
    } catch (thrown) {
      if (!isDuplicate(thrown)) throw thrown;
      const message =
        version === 1
          ? 'You have a template with this id: change it by PUT.'
          : 'The template was changed at the same moment. Try again.';
      throw new GatewayError('conflict', message, { cause: thrown });
    }
    return { id, version, ...body, is_built_in: false };
  }

  return {
    async list(owner, scriptType) {
      const own = await newestOf(owner, scriptType);
      const builtIn = BUILT_IN_TEMPLATES.filter(
        ({ script_type }) => scriptType === undefined || script_type === scriptType,
      ).map((template) => ({ ...template, is_built_in: true }));
      return [...builtIn, ...own];
    },
    async find(owner, id, version) {
      const builtIn = builtInTemplate(id);
      if (builtIn !== undefined && (version ?? builtIn.version) === builtIn.version) {
        return { ...builtIn, is_built_in: true };
      }
      const own = builtIn === undefined ? await ownOf(owner, id, version) : undefined;
      if (own === undefined) throw noTemplate();
      return own;
    },
    async choose(owner, scriptType, id) {
      if (id === undefined) {
        const builtIn = BUILT_IN_TEMPLATES.find(({ script_type }) => script_type === scriptType);
        const found = builtIn ?? (await newestOf(owner, scriptType))[0];
        if (found !== undefined) return found;
        const types = [...new Set(BUILT_IN_TEMPLATES.map(({ script_type }) => script_type))];
        const message = `No template is for this type. Built in: ${types.join(', ')}.`;
        throw requestFaults([{ path: 'script_type', message }]);
      }
      const found = builtInTemplate(id) ?? (await ownOf(owner, id));
      if (found === undefined) {
        throw requestFaults([{ path: 'template_id', message: 'There is no such template.' }]);
      }
      if (found.script_type === scriptType) return found;
      const message = `The template is for the type ${found.script_type}.`;
      throw requestFaults([{ path: 'template_id', message }]);
    },
    async create(owner, { id = newTemplateId(), body }) {
      requireFree(id);
      const [row] = await database.use((db) =>
        db
          .select({ ids: count() })
          .from(scriptTemplates)
          .where(and(eq(scriptTemplates.owner, owner), eq(scriptTemplates.version, 1))),
      );
      if ((row?.ids ?? 0) >= MAX_TEMPLATES) {
        throw new GatewayError('unprocessable', `You have ${MAX_TEMPLATES} templates, the most.`);
      }
      return await insert(owner, id, 1, body);
    },
    async replace(owner, id, body) {
      requireOwn(id);
      const [row] = await database.use((db) =>
        db
          .select({ version: max(scriptTemplates.version) })
          .from(scriptTemplates)
          .where(and(eq(scriptTemplates.owner, owner), eq(scriptTemplates.id, id))),
      );
      const version = row?.version ?? null;
      if (version === null) throw noTemplate();
      if (version >= MAX_VERSIONS) {
        throw new GatewayError('unprocessable', `A template has at most ${MAX_VERSIONS} versions.`);
      }
      return await insert(owner, id, version + 1, body);
    },
    async remove(owner, id) {
      requireOwn(id);
      const gone = await database.use((db) =>
        db
          .delete(scriptTemplates)
          .where(and(eq(scriptTemplates.owner, owner), eq(scriptTemplates.id, id)))
          .returning({ id: scriptTemplates.id }),
      );
      if (gone.length === 0) throw noTemplate();
    },
  };
}

function viewOf(row: typeof scriptTemplates.$inferSelect): TemplateView {
  const body = JSON.parse(row.body) as Omit<TemplateBody, 'script_type'>;
  const { id, version, scriptType } = row;
  return { id, version, script_type: scriptType, ...body, is_built_in: false };
}

/** Ids of templates are of small letters. */
function newTemplateId(): string {
  return `tpl-${newId('task').slice('task_'.length).toLowerCase()}`;
}

function requireFree(id: string): void {
  if (builtInTemplate(id) === undefined) return;
  throw requestFaults([
    { path: 'id', message: 'is that of a template that comes with the gateway.' },
  ]);
}

function requireOwn(id: string): void {
  if (builtInTemplate(id) === undefined) return;
  throw new GatewayError(
    'forbidden',
    'This template comes with the gateway: make one of your own.',
  );
}

function noTemplate(): GatewayError {
  return new GatewayError('not_found', 'You have no template with this id.');
}
