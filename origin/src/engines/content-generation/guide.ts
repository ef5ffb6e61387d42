/** A step-by-step guide as JSON: what the model writes, and what only the given steps know. */

import type { Json } from '@headwater/shared/tasks/task';
import type { ContentParams } from './manifest.ts';

type GivenSteps = NonNullable<ContentParams['steps']>;

/** Members of a given step that its guide shows again, as they came. */
const CARRIED = ['timestamp', 'screenshot'] as const;

/** Longest of them, in characters of JSON: a reference is meant, not the picture itself. */
const MAX_CARRIED_CHARS = 4_096;

/** The schema of what the model writes. Each step names the given ones that it is made of. */
export function guideSchema(steps: GivenSteps | undefined): { readonly [name: string]: Json } {
  const text = { type: 'string', minLength: 1 };
  const sources = {
    type: 'array',
    description: 'Numbers of the steps of the material that this one is made of.',
    items: { type: 'integer', minimum: 1, maximum: steps?.length ?? 1 },
  };
  const given = steps === undefined ? {} : { sources };
  return {
    type: 'object',
    properties: {
      title: text,
      introduction: { type: 'string' },
      steps: {
        type: 'array',
        minItems: 1,
        items: objectOf({ title: text, text, ...given }),
      },
    },
    required: ['title', 'introduction', 'steps'],
    additionalProperties: false,
  };
}

function objectOf(properties: { readonly [name: string]: Json }): Json {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}

/** What {@link guideSchema} lets through. */
interface WrittenGuide {
  readonly title: string;
  readonly introduction: string;
  readonly steps: readonly {
    readonly title: string;
    readonly text: string;
    readonly sources?: readonly number[];
  }[];
}

/**
 * Numbers the steps, and gives each the time and the picture of the first of its sources that has
 * one: a model that had to copy a reference could get it wrong.
 */
export function finishGuide(data: Json, given: GivenSteps | undefined): Json {
  const { title, introduction, steps } = data as unknown as WrittenGuide;
  return {
    title,
    introduction,
    steps: steps.map((step, at) => ({
      number: at + 1,
      title: step.title,
      text: step.text,
      ...(step.sources === undefined ? {} : { sources: step.sources }),
      ...carriedOf(step.sources ?? [], given ?? []),
    })),
  };
}

function carriedOf(sources: readonly number[], given: GivenSteps): { [name: string]: Json } {
  const carried: { [name: string]: Json } = {};
  for (const name of CARRIED) {
    for (const source of sources) {
      const value = given[source - 1]?.[name];
      if (value === undefined || value === null) continue;
      if (JSON.stringify(value).length > MAX_CARRIED_CHARS) continue;
      carried[name] = value as Json;
      break;
    }
  }
  return carried;
}
