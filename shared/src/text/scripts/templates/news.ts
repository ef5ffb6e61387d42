/** A news item to be read aloud, the newest thing first. */

import type { ScriptTemplate } from '../template.ts';

export const news: ScriptTemplate = {
  id: 'news',
  version: 1,
  script_type: 'news',
  name: 'News item',
  description: 'A news item to be read aloud, the newest thing first.',
  default_length: 300,
  variables: [
    { name: 'outlet', description: 'Who reports.', required: false, default: 'a neutral newsroom' },
    {
      name: 'place',
      description: 'Where it happened.',
      required: false,
      default: 'the place that is given',
    },
  ],
  instructions: `Write a news item to be read aloud.
Outlet: {{outlet}}. Place: {{place}}.
The newest and most important thing comes first; the rest in falling order of weight. Who says something is named before what is said. Report only what is given; where something that is needed is missing, write [to be confirmed]. No adjectives that judge.`,
  parts: [
    {
      name: 'Lead',
      purpose: 'What happened, to whom, where and when, in two sentences.',
      share: 0.2,
    },
    { name: 'Details', purpose: 'How it happened, and who says so.', share: 0.4 },
    { name: 'Background', purpose: 'What led to it.', share: 0.25 },
    {
      name: 'Outlook',
      purpose: 'What happens next, with dates where they are given.',
      share: 0.15,
    },
  ],
};
