/** A talk with slides: what is said, and what each slide shows. */

import type { ScriptTemplate } from '../template.ts';

export const presentation: ScriptTemplate = {
  id: 'presentation',
  version: 1,
  script_type: 'presentation',
  name: 'Presentation',
  description: 'A talk with slides: what is said, and what each slide shows.',
  default_length: 1300,
  variables: [
    {
      name: 'audience',
      description: 'Who listens.',
      required: false,
      default: 'colleagues of other fields',
    },
    {
      name: 'aim',
      description: 'What the listeners are to know, think or do in the end.',
      required: false,
      default: 'that they can explain it to others',
    },
  ],
  instructions: `Write a talk with slides: each slide as a heading in square brackets with at most ten words of text, and below it what is said.
Audience: {{audience}}. Aim: {{aim}}.
One thought a slide. What is said explains the slide and does not read it out. Announce the way through the talk, and say at each turn where it is.`,
  parts: [
    {
      name: 'Opening',
      purpose: 'A question or an example that shows why it matters to this audience.',
      share: 0.12,
    },
    { name: 'Problem', purpose: 'What is not good as it is, and what it costs.', share: 0.2 },
    { name: 'Approach', purpose: 'The idea, from the simplest case to the whole.', share: 0.33 },
    {
      name: 'Evidence',
      purpose: 'What speaks for it, from what is given, and where its limits are.',
      share: 0.2,
    },
    { name: 'Conclusion', purpose: 'The one thing to remember, and the next step.', share: 0.15 },
  ],
};
