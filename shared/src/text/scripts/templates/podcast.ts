/** An episode for one or two hosts, to be spoken freely. */

import type { ScriptTemplate } from '../template.ts';

export const podcast: ScriptTemplate = {
  id: 'podcast',
  version: 1,
  script_type: 'podcast',
  name: 'Podcast',
  description: 'An episode for one or two hosts, to be spoken freely.',
  default_length: 1600,
  variables: [
    { name: 'hosts', description: 'Who speaks.', required: false, default: 'one host' },
    { name: 'show', description: 'Name of the show.', required: false, default: 'the show' },
    {
      name: 'audience',
      description: 'Who listens.',
      required: false,
      default: 'curious listeners',
    },
  ],
  instructions: `Write the script of a podcast episode, as it is spoken.
Show: {{show}}. Hosts: {{hosts}}. Listeners: {{audience}}.
Mark who speaks where there are several. Short sentences and spoken words; questions that a listener would ask. Notes for music and sounds stand in square brackets. Say where the episode is going at each turn, for those who were not listening.`,
  parts: [
    {
      name: 'Cold open',
      purpose: 'The most surprising thing of the episode, without its explanation.',
      share: 0.08,
    },
    {
      name: 'Introduction',
      purpose: 'Who speaks, what the episode is about and why now.',
      share: 0.12,
    },
    {
      name: 'First topic',
      purpose: 'The first half of the matter, with an example that carries it.',
      share: 0.3,
    },
    {
      name: 'Second topic',
      purpose: 'The other half, and what speaks against the first one.',
      share: 0.3,
    },
    {
      name: 'Takeaways',
      purpose: 'What to remember, in three points that can be used.',
      share: 0.12,
    },
    { name: 'Goodbye', purpose: 'Thanks, what comes next, a last line.', share: 0.08 },
  ],
};
