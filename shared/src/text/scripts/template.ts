/** What a script's template is: instructions with variables, and a plan of its length. */

import * as z from 'zod';

/** Bounds of `length_target`, in words. */
export const MIN_LENGTH = 50;
export const MAX_LENGTH = 50_000;

/** How far the shares of a plan may be from 1 in sum. */
const SHARE_SLACK = 0.001;

/** A text of 1–`max` characters. NUL has no place in one, and no database takes it. */
export const plain = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max)
    .refine((text) => !text.includes('\0'), { message: 'must not contain NUL.' });

/** A name as `{{name}}` has it. */
const variableName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be 1–64 of a–z, 0–9 and _, a letter first.');

/** Longest value of a variable, in characters. */
export const MAX_VALUE_CHARS = 4_000;

const variable = z.strictObject({
  name: variableName,
  description: plain(500),
  /** A value has to be given, where there is no default. */
  required: z.boolean().default(false),
  default: z.string().max(MAX_VALUE_CHARS).optional(),
});

const part = z.strictObject({
  name: plain(120),
  /** What the part is for, as the model is told. */
  purpose: plain(2_000),
  /** Of the whole length; those of all parts sum to 1. */
  share: z.number().gt(0).max(1),
});

/** An identifier of a template, or a type of scripts. */
export const templateId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1–64 of a–z, 0–9 and -, no - first.');

/** What a template holds beside its id and version. */
export const templateBody = z
  .strictObject({
    /** What it makes, such as `drama`. */
    script_type: templateId,
    name: plain(120),
    description: plain(2_000),
    variables: z.array(variable).max(50).default([]),
    /** What the model is told of the kind of script. */
    instructions: plain(20_000),
    /** Words where the caller names no number. */
    default_length: z.int().min(MIN_LENGTH).max(MAX_LENGTH).default(1_000),
    /** The length plan. */
    parts: z.array(part).min(1).max(30),
  })
  .superRefine(({ variables, instructions, parts }, context) => {
    const sum = parts.reduce((total, { share }) => total + share, 0);
    if (Math.abs(sum - 1) > SHARE_SLACK) {
      const message = `The shares must sum to 1; they sum to ${Number(sum.toFixed(4))}.`;
      context.addIssue({ code: 'custom', path: ['parts'], message });
    }
    const names = new Set<string>();
    for (const [index, { name }] of variables.entries()) {
      const path = ['variables', index, 'name'];
      if (names.has(name)) context.addIssue({ code: 'custom', path, message: 'is there twice.' });
      names.add(name);
    }
    const texts: [(string | number)[], string][] = [
      [['instructions'], instructions],
      ...parts.map(({ purpose }, at): [(string | number)[], string] => [
        ['parts', at, 'purpose'],
        purpose,
      ]),
    ];
    for (const [path, text] of texts) {
      for (const name of placeholdersOf(text)) {
        if (names.has(name)) continue;
        const message = `{{${name}}} is none of the variables.`;
        context.addIssue({ code: 'custom', path, message });
      }
    }
  });

/** A template's content. */
export type TemplateBody = z.output<typeof templateBody>;

/** One part of a length plan. */
export type TemplatePart = TemplateBody['parts'][number];

/** A template in one version. */
export interface ScriptTemplate extends TemplateBody {
  readonly id: string;
  /** From 1; one more with every change. */
  readonly version: number;
}

/** `{{name}}`, with or without blanks around the name. */
const PLACEHOLDER = /\{\{\s*([a-z][a-z0-9_]{0,63})\s*\}\}/g;

/** Names of the variables that a text uses. */
export function placeholdersOf(text: string): string[] {
  return Array.from(text.matchAll(PLACEHOLDER), ([, name]) => name ?? '');
}

/** Puts values into a text; what stands in a value is text, whatever it looks like. */
export function fillText(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(PLACEHOLDER, (_whole, name: string) => values.get(name) ?? '');
}
