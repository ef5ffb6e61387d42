/** `GET /v1/models`, in OpenAI's shape. https://platform.openai.com/docs/api-reference/models */

import * as z from 'zod';
import { GatewayError } from '../protocol/errors.ts';
import type { ListedModel } from '../providers/model-lister.ts';

/** One model as OpenAI writes it. */
export interface ApiModel {
  readonly id: string;
  readonly object: 'model';
  /** Seconds since 1970; 0 where the vendor does not say. */
  readonly created: number;
  readonly owned_by: string;
}

/** The whole list. */
export interface ApiModelList {
  readonly object: 'list';
  readonly data: readonly ApiModel[];
}

function toApiModel({ id, created = 0, owned_by }: ListedModel): ApiModel {
  return { id, object: 'model', created, owned_by };
}

/** The models that a caller may name here. */
export function modelList(models: readonly ListedModel[]): ApiModelList {
  return { object: 'list', data: models.map(toApiModel) };
}

/** One of them. Errors: `not_found`. */
export function modelOf(models: readonly ListedModel[], id: string): ApiModel {
  const found = models.find((model) => model.id === id);
  if (found !== undefined) return toApiModel(found);
  throw new GatewayError('not_found', 'No such model is listed here. `GET /v1/models` lists all.', {
    details: { fields: [{ path: 'model', message: 'is not listed here' }] },
  });
}

const listSchema = z.object({
  data: z.array(z.object({ id: z.string(), created: z.number(), owned_by: z.string() })),
});

/** Reads a list that another gateway gave. Errors: `upstream_failed`. */
export function parseModelList(body: unknown): readonly ListedModel[] {
  const result = listSchema.safeParse(body);
  if (result.success) return result.data.data;
  throw new GatewayError('upstream_failed', 'The origin answered with no list of models.', {
    cause: result.error,
  });
}
