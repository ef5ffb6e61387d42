/** A dramatic script in scenes, with dialogue and stage directions. */

import type { ScriptTemplate } from '../template.ts';

export const drama: ScriptTemplate = {
  id: 'drama',
  version: 1,
  script_type: 'drama',
  name: 'Drama',
  description: 'A dramatic script in scenes, with dialogue and stage directions.',
  default_length: 2000,
  variables: [
    {
      name: 'setting',
      description: 'Where and when it plays.',
      required: false,
      default: 'a place and time that suit the story',
    },
    {
      name: 'characters',
      description: 'Who is in it, a line each.',
      required: false,
      default: 'the characters that the story needs',
    },
    { name: 'audience', description: 'Whom it is for.', required: false, default: 'adults' },
  ],
  instructions: `Write a drama for the screen or the stage.
Setting: {{setting}}. Characters: {{characters}}. Audience: {{audience}}.
Each scene begins with a heading that says inside or outside, the place and the time of day. Names of speakers stand on a line of their own, above what they say. Directions are short, in the present tense, and show only what can be seen or heard.
People want something in every scene, and something stands in their way. What they mean is under what they say. Change one thing in each scene: what somebody knows, has or dares.`,
  parts: [
    {
      name: 'Setup',
      purpose:
        'Show the main character in an ordinary moment, what is missing in it, and the event that ends it.',
      share: 0.2,
    },
    {
      name: 'Rising action',
      purpose:
        'The first attempts fail, and the price of the next one rises. Bring in who stands against it.',
      share: 0.25,
    },
    {
      name: 'Midpoint',
      purpose: 'A discovery turns what was thought to be the matter around.',
      share: 0.15,
    },
    {
      name: 'Crisis',
      purpose: 'Everything that could be lost is about to be; the character must choose.',
      share: 0.2,
    },
    {
      name: 'Resolution',
      purpose: 'The choice is acted on, and what it costs and gives is seen. End on an image.',
      share: 0.2,
    },
  ],
};
