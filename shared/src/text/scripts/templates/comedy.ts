/** A comic script of mistaken plans and quick dialogue. */

import type { ScriptTemplate } from '../template.ts';

export const comedy: ScriptTemplate = {
  id: 'comedy',
  version: 1,
  script_type: 'comedy',
  name: 'Comedy',
  description: 'A comic script of mistaken plans and quick dialogue.',
  default_length: 1500,
  variables: [
    {
      name: 'setting',
      description: 'Where and when it plays.',
      required: false,
      default: 'an everyday place',
    },
    {
      name: 'characters',
      description: 'Who is in it, a line each.',
      required: false,
      default: 'a few people with opposite habits',
    },
    {
      name: 'humour',
      description: 'What kind of humour, such as dry, absurd or gentle.',
      required: false,
      default: 'warm and quick',
    },
  ],
  instructions: `Write a comedy in scenes, with headings, dialogue and short directions.
Setting: {{setting}}. Characters: {{characters}}. Humour: {{humour}}.
Every character is serious about something small. Jokes come out of what people want, never out of who they are. Set things up early and plainly, and let them come back changed, twice. Keep lines short and end each on its strongest word.`,
  parts: [
    {
      name: 'Hook',
      purpose:
        'Begin in the middle of something that is already going wrong, and show who wants what.',
      share: 0.15,
    },
    {
      name: 'Plan',
      purpose: 'A plan is made that is simple, and cannot work with these people.',
      share: 0.2,
    },
    {
      name: 'Complications',
      purpose: 'Each step mends one thing and breaks two. A small lie needs bigger ones.',
      share: 0.3,
    },
    {
      name: 'Chaos',
      purpose: 'Everyone is in one place, and each knows another half of the truth.',
      share: 0.2,
    },
    {
      name: 'Payoff',
      purpose:
        'What was set up comes back, the truth is out, and nobody has learned quite the right thing.',
      share: 0.15,
    },
  ],
};
