/** Narration for a documentary, with notes for pictures and voices. */

import type { ScriptTemplate } from '../template.ts';

export const documentary: ScriptTemplate = {
  id: 'documentary',
  version: 1,
  script_type: 'documentary',
  name: 'Documentary',
  description: 'Narration for a documentary, with notes for pictures and voices.',
  default_length: 1800,
  variables: [
    {
      name: 'subject',
      description: 'What it is about, where the description does not say.',
      required: false,
      default: 'the subject that is described',
    },
    {
      name: 'viewpoint',
      description: 'From where it looks at its subject.',
      required: false,
      default: 'curious and fair',
    },
    {
      name: 'audience',
      description: 'Whom it is for.',
      required: false,
      default: 'viewers without knowledge of the subject',
    },
  ],
  instructions: `Write the script of a documentary: narration, with notes for pictures in square brackets and places for interviews.
Subject: {{subject}}. Viewpoint: {{viewpoint}}. Audience: {{audience}}.
State as facts only what is given. Where a number, a name or a quotation is needed and not given, leave a note in square brackets that says what is to be found out. One thought a paragraph, in words that can be spoken.`,
  parts: [
    {
      name: 'Opening',
      purpose: 'One concrete scene that holds the question of the film.',
      share: 0.12,
    },
    {
      name: 'Context',
      purpose: 'What one has to know to understand the question: place, time, people.',
      share: 0.2,
    },
    {
      name: 'Investigation',
      purpose: 'Follow the question from one witness or find to the next.',
      share: 0.3,
    },
    {
      name: 'Turning point',
      purpose: 'What does not fit the first answer, and what it changes.',
      share: 0.2,
    },
    {
      name: 'Reflection',
      purpose: 'What can be said now, what stays open, and a last picture.',
      share: 0.18,
    },
  ],
};
