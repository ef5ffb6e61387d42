/** Fills a template's variables. */

import type { FieldFault } from '../../protocol/errors.ts';
import { requestFaults } from '../../protocol/tasks.ts';
import { fillText, type ScriptTemplate, type TemplatePart } from './template.ts';

/** A template that has no variable any more. */
export interface FilledTemplate {
  readonly id: string;
  readonly version: number;
  readonly instructions: string;
  readonly parts: readonly TemplatePart[];
}

/**
 * Fills it. A variable without a value has its default, or is left empty. Errors:
 * `validation_failed` that names each value which is missing, or which no variable is there for.
 */
export function fillTemplate(
  template: ScriptTemplate,
  given: Readonly<Record<string, string>>,
): FilledTemplate {
  const { id, version, instructions, parts, variables } = template;
  const known = new Set(variables.map(({ name }) => name));
  const faults: FieldFault[] = Object.keys(given)
    .filter((name) => !known.has(name))
    .map((name) => ({ path: `variables.${name}`, message: 'The template has no such variable.' }));
  const values = new Map<string, string>();
  for (const { name, required, default: usual } of variables) {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    const isMissing = value === undefined || value.trim() === '';
    if (isMissing && required && usual === undefined) {
      faults.push({ path: `variables.${name}`, message: 'The template needs it.' });
    }
    values.set(name, isMissing ? (usual ?? '') : value);
  }
  if (faults.length > 0) throw requestFaults(faults);
  return {
    id,
    version,
    instructions: fillText(instructions, values),
    parts: parts.map((part) => ({ ...part, purpose: fillText(part.purpose, values) })),
  };
}
