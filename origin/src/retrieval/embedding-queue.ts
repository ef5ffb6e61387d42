/** Documents that wait for vectors; the database is the queue, and each has one worker at a time. */

import type { Db } from '../database/database.ts';
import { sql } from '../database/orm.ts';

/** A document that is being worked on. */
export interface ClaimedDocument extends Record<string, unknown> {
  readonly id: string;
  readonly collection: number;
}

/** Passages without a vector. */
export interface BarePassage extends Record<string, unknown> {
  readonly ordinal: number;
  readonly text: string;
}

/** A worker that was not heard of for so long is gone, and another one goes on, in ms. */
export const CLAIM_LEASE_MS = 180_000;

/** The oldest document that nobody works on; undefined where there is none. MUST be a transaction. */
export async function claimDocument(
  db: Db,
  model: string,
  claim: string,
  nowMs: number,
): Promise<ClaimedDocument | undefined> {
  const { rows: stale } = await db.execute<ClaimedDocument>(sql`
    update embedded_documents as job set claim = ${claim}, claimed_at_ms = ${nowMs}
    from (
      select document_id from embedded_documents
      where model = ${model} and not is_done and claimed_at_ms < ${nowMs - CLAIM_LEASE_MS}
      order by claimed_at_ms limit 1 for update skip locked
    ) as oldest, documents as document
    where job.document_id = oldest.document_id and job.model = ${model}
      and document.id = job.document_id
    returning document.id, document.collection_id as collection`);
  if (stale[0] !== undefined) return stale[0];
  const { rows } = await db.execute<ClaimedDocument>(sql`
    with fresh as (
      select document.id, document.collection_id as collection from documents as document
      where not exists (
        select 1 from embedded_documents as job
        where job.document_id = document.id and job.model = ${model})
      order by document.created_at_ms limit 1 for key share skip locked
    ), claimed as (
      insert into embedded_documents (document_id, model, claim, claimed_at_ms)
      select id, ${model}, ${claim}, ${nowMs} from fresh
      on conflict do nothing
      returning document_id
    )
    select fresh.id, fresh.collection from fresh
    join claimed on claimed.document_id = fresh.id`);
  return rows[0];
}

/** False where the claim was lost, or the document is gone. */
export async function renewClaim(
  db: Db,
  id: string,
  model: string,
  claim: string,
  change: { readonly nowMs: number; readonly isDone: boolean },
): Promise<boolean> {
  const { rowCount } = await db.execute(sql`
    update embedded_documents set claimed_at_ms = ${change.nowMs}, is_done = ${change.isDone}
    where document_id = ${id} and model = ${model} and claim = ${claim}`);
  return (rowCount ?? 0) > 0;
}

/** In order, at most `limit`. */
export async function readBare(
  db: Db,
  id: string,
  model: string,
  limit: number,
): Promise<BarePassage[]> {
  const { rows } = await db.execute<BarePassage>(sql`
    select passage.ordinal,
      case when passage.heading = '' then passage.text
        else passage.heading || E'\n' || passage.text end as text
    from passages as passage
    where passage.document_id = ${id} and not exists (
      select 1 from passage_vectors as known
      where known.document_id = passage.document_id and known.ordinal = passage.ordinal
        and known.model = ${model})
    order by passage.ordinal limit ${limit}`);
  return rows;
}
