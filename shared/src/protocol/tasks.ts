/** `POST /api/v1/tasks/{type}` and `/batch`: what every task may be asked with. */

import * as z from 'zod';
import { type FieldFault, GatewayError } from './errors.ts';

/** Priority of a task that names none. */
export const DEFAULT_PRIORITY = 5;

/** Most tasks of one batch. */
export const MAX_BATCH_TASKS = 1000;

/** Most a task may name, in seconds, where `PROCESSING_TIMEOUT` allows so much. */
const MAX_TIMEOUT_SECONDS = 86_400;

const fields = {
  /** 10 first. */
  priority: z.int().min(1).max(10),
  /** Longest time of one attempt; at most `PROCESSING_TIMEOUT`, which is the default. */
  timeoutSeconds: z.int().min(1).max(MAX_TIMEOUT_SECONDS),
  /** Where the end of the task is told; the rules of `resumeUrl`. */
  callbackUrl: z.string().min(1),
};

/** The fields that every task has; those of its engine stand beside them. */
export const taskFieldsSchema = z.object({
  priority: fields.priority.default(DEFAULT_PRIORITY),
  timeoutSeconds: fields.timeoutSeconds.optional(),
  callbackUrl: fields.callbackUrl.optional(),
});

/** The fields that every task has, with the defaults filled in. */
export type TaskFields = z.output<typeof taskFieldsSchema>;

/** Names of the fields that every task has. */
export const TASK_FIELD_NAMES: ReadonlySet<string> = new Set(Object.keys(taskFieldsSchema.shape));

/** Body of `/batch`: tasks, each with its type beside its fields, and what holds for all of them. */
export const batchSchema = z.strictObject({
  tasks: z
    .array(z.unknown())
    .min(1)
    .max(MAX_BATCH_TASKS, `A batch has at most ${MAX_BATCH_TASKS.toLocaleString('en-US')} tasks.`),
  /** Of the tasks that name none of their own. */
  priority: fields.priority.optional(),
  timeoutSeconds: fields.timeoutSeconds.optional(),
  callbackUrl: fields.callbackUrl.optional(),
});

/** One entry of a batch. */
export const batchEntrySchema = z.looseObject({ type: z.string().min(1) });

/** A file by value or by reference, in JSON: a string, or an object that says which it is. */
export const fileValueSchema = z.union([
  z.string().min(1),
  z.strictObject({ url: z.string().min(1), filename: z.string().optional() }),
  z.strictObject({ data: z.string().min(1), filename: z.string().optional() }),
  z.strictObject({ s3: z.string().min(1), filename: z.string().optional() }),
]);

/** A request with faults: `validation_failed` that names each field and what is wrong with it. */
export function requestFaults(faults: readonly FieldFault[]): GatewayError {
  const words = faults.map(({ path, message }) => `${path || 'body'}: ${message}`);
  return new GatewayError('validation_failed', `The request has faults. ${words.join(' ')}`, {
    details: { fields: faults },
  });
}

/** Reads a value by its schema. Errors: `validation_failed` with every faulty field. */
export function readRequest<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw requestFaults(faultsOf(result.error));
}

/** The faults that a schema found. */
export function faultsOf(error: z.ZodError): FieldFault[] {
  return error.issues.map(({ path, message }) => ({
    path: path.join('.'),
    message: message.endsWith('.') ? message : `${message}.`,
  }));
}
