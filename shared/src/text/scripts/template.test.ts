import { describe, expect, it } from 'vitest';
import { BUILT_IN_TEMPLATES, builtInTemplate } from './built-in-templates.ts';
import { fillTemplate } from './fill-template.ts';
import { planScript } from './plan.ts';
import { type ScriptTemplate, templateBody, templateId } from './template.ts';

const OWN = {
  script_type: 'sermon',
  name: 'Sermon',
  description: 'A sermon.',
  variables: [
    { name: 'verse', description: 'The verse.', required: true },
    { name: 'mood', description: 'The mood.', default: 'calm' },
  ],
  instructions: 'On {{verse}}, {{ mood }}.',
  parts: [
    { name: 'One', purpose: 'Read {{verse}}.', share: 0.5 },
    { name: 'Two', purpose: 'Say what it means.', share: 0.5 },
  ],
};

const template: ScriptTemplate = { id: 'own', version: 3, ...templateBody.parse(OWN) };

const faultsOf = (body: object): string[] =>
  (templateBody.safeParse(body).error?.issues ?? []).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );

describe('templates', () => {
  it.each(BUILT_IN_TEMPLATES.map((entry) => [entry.id, entry] as const))(
    'SCRIPT-6: %s comes with the gateway, and is as good as one of a caller',
    (id, entry) => {
      const { id: _id, version, ...body } = entry;
      expect(templateBody.parse(body)).toEqual(body);
      expect(templateId.parse(id)).toBe(id);
      expect(version).toBeGreaterThan(0);
      expect(entry.script_type).toBe(id);
    },
  );

  it('SCRIPT-6: there are those that a script service is asked for most', () => {
    expect(BUILT_IN_TEMPLATES.map(({ id }) => id)).toEqual(
      expect.arrayContaining([
        ...['drama', 'comedy', 'documentary', 'advertisement', 'tutorial', 'podcast'],
      ]),
    );
    expect(builtInTemplate('poem')).toBeUndefined();
  });

  it.each([
    [{ ...OWN, parts: OWN.parts.slice(1) }, 'parts: The shares must sum to 1; they sum to 0.5.'],
    [{ ...OWN, parts: [] }, 'parts: Too small'],
    [
      { ...OWN, parts: Array.from({ length: 31 }, () => ({ ...OWN.parts[1], share: 1 / 31 })) },
      'parts: Too big',
    ],
    [{ ...OWN, variables: [] }, 'instructions: {{verse}} is none of the variables.'],
    [
      { ...OWN, variables: [...OWN.variables, OWN.variables[0]] },
      'variables.2.name: is there twice.',
    ],
    [{ ...OWN, instructions: 'x'.repeat(20_001) }, 'instructions: Too big'],
    [{ ...OWN, name: 'a\0b' }, 'name: must not contain NUL.'],
    [{ ...OWN, script_type: 'A B' }, 'script_type: must be 1–64'],
    [{ ...OWN, default_length: 0 }, 'default_length: Too small'],
    [{ ...OWN, other: 1 }, ': Unrecognized key'],
  ])('SCRIPT-6: a template with a fault is refused by its field: %#', (body, fault) => {
    expect(faultsOf(body).join('\n')).toContain(fault);
  });

  it('SCRIPT-6: variables are filled, and what stands in a value is never filled again', () => {
    const filled = fillTemplate(template, { verse: 'John 1 {{mood}} $&' });
    expect(filled.instructions).toBe('On John 1 {{mood}} $&, calm.');
    expect(filled.parts[0]?.purpose).toBe('Read John 1 {{mood}} $&.');
    expect(filled).toMatchObject({ id: 'own', version: 3 });
  });

  it.each([
    [{}, ['variables.verse']],
    [{ verse: ' ' }, ['variables.verse']],
    [{ verse: 'a', colour: 'b' }, ['variables.colour']],
    [{ mood: 'a', constructor: 'b' }, ['variables.constructor', 'variables.verse']],
  ])(
    'SCRIPT-6: a value that is missing, or for nothing, is told by its path: %j',
    (given, paths) => {
      let thrown: unknown;
      try {
        fillTemplate(template, given as Record<string, string>);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({
        code: 'validation_failed',
        details: { fields: paths.map((path) => ({ path })) },
      });
    },
  );
});

describe('a plan', () => {
  it('SCRIPT-1: parts get their share, and long ones are written in several calls', () => {
    const { parts, calls } = planScript(template.parts, 5_000);
    expect(parts.map(({ words }) => words)).toEqual([2_500, 2_500]);
    expect(calls.map(({ part, index, of }) => `${part}:${index}/${of}`)).toEqual([
      ...['0:1/3', '0:2/3', '0:3/3', '1:1/3', '1:2/3', '1:3/3'],
    ]);
    expect(Math.max(...calls.map(({ words }) => words))).toBeLessThanOrEqual(900);
  });

  it('SCRIPT-1: parts that would be a sentence each are joined', () => {
    const many = Array.from({ length: 30 }, (_, at) => ({
      name: `P${at}`,
      purpose: 'It.',
      share: 1 / 30,
    }));
    const { parts, calls } = planScript(many, 100);
    expect(calls).toHaveLength(2);
    expect(parts.flatMap(({ name }) => name.split(', '))).toHaveLength(30);
    expect(parts.reduce((sum, { words }) => sum + words, 0)).toBeCloseTo(100);
  });
});
