/** What is asked for, before its files are fetched: fields, and where the files are. */

import type { FieldFault } from '@headwater/shared/protocol/errors';
import {
  faultsOf,
  requestFaults,
  TASK_FIELD_NAMES,
  type TaskFields,
  taskFieldsSchema,
} from '@headwater/shared/protocol/tasks';
import type { Json } from '@headwater/shared/tasks/task';
import type { EngineManifest, FileField } from '../engines/engine-manifest.ts';
import { type FileSource, readFileSource } from './file-source.ts';

/** The fields of one task, as they came. */
export interface RawFields {
  readonly values: ReadonlyMap<string, unknown>;
  /** Those that came as text, which may stand for another JSON value. */
  readonly texts?: ReadonlySet<string>;
  /** Files that came as such, by their field. */
  readonly parts?: ReadonlyMap<string, readonly FileSource[]>;
}

/** One file of a task. */
export interface RawFile {
  /** `image`, or `images[3]` of a field that takes several. */
  readonly label: string;
  readonly kind: FileField['kind'];
  readonly source: FileSource;
}

/** A task whose fields are checked. */
export interface CheckedTask {
  readonly fields: TaskFields;
  readonly params: { readonly [name: string]: Json };
  readonly files: readonly RawFile[];
}

/** Checks all fields. Errors: `validation_failed` that names every faulty one. */
export function checkTask(manifest: EngineManifest, raw: RawFields): CheckedTask {
  const faults: FieldFault[] = [];
  const fileFields = new Set(manifest.files.map(({ field }) => field));
  const common = pick(raw, (name) => TASK_FIELD_NAMES.has(name));
  const own = pick(raw, (name) => !TASK_FIELD_NAMES.has(name) && !fileFields.has(name));
  const fields = readFields(taskFieldsSchema, common, raw.texts, faults);
  const params = readFields(manifest.params, own, raw.texts, faults);
  const files = manifest.files.flatMap((field) => readFiles(field, raw, faults));
  if (faults.length > 0 || fields === undefined || params === undefined) {
    throw requestFaults(faults);
  }
  return { fields, params, files };
}

interface Schema<T> {
  safeParse(value: unknown): import('zod').ZodSafeParseResult<T>;
}

/** A text that the schema does not take is tried as the JSON that it may be. */
function readFields<T>(
  schema: Schema<T>,
  values: Readonly<Record<string, unknown>>,
  texts: ReadonlySet<string> | undefined,
  faults: FieldFault[],
): T | undefined {
  const first = schema.safeParse(values);
  if (first.success) return first.data;
  const faulty = new Set(first.error.issues.map(({ path }) => String(path[0])));
  const again = Object.entries(values).map(([name, value]) =>
    faulty.has(name) && texts?.has(name) === true ? [name, readText(value)] : [name, value],
  );
  const second = schema.safeParse(Object.fromEntries(again));
  if (second.success) return second.data;
  faults.push(...faultsOf(second.error));
  return undefined;
}

function readText(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    // It is a text after all, and the schema says what is wrong with it.
    return value;
  }
}

function readFiles(
  { field, kind, min, max }: FileField,
  { values, parts }: RawFields,
  faults: FieldFault[],
): RawFile[] {
  const value = values.get(field);
  const listed: readonly unknown[] = Array.isArray(value)
    ? value
    : value === undefined
      ? []
      : [value];
  const sent = parts?.get(field) ?? [];
  const count = listed.length + sent.length;
  if (count < min || count > max) {
    const most = max === min ? `${max}` : `${min} to ${max}`;
    faults.push({ path: field, message: `takes ${most} files; ${count} came.` });
    return [];
  }
  const labelOf = (index: number): string => (max > 1 ? `${field}[${index}]` : field);
  const sources = listed.map((entry, index) => readFileSource(entry, labelOf(index)));
  return [...sources, ...sent].map((source, index) => ({ label: labelOf(index), kind, source }));
}

/** `fromEntries` defines members: a field named `__proto__` stays a field. */
function pick({ values }: RawFields, isWanted: (name: string) => boolean): Record<string, unknown> {
  return Object.fromEntries([...values].filter(([name]) => isWanted(name)));
}
