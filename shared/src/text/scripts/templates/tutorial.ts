/** A spoken guide that leads through a task step by step. */

import type { ScriptTemplate } from '../template.ts';

export const tutorial: ScriptTemplate = {
  id: 'tutorial',
  version: 1,
  script_type: 'tutorial',
  name: 'Tutorial',
  description: 'A spoken guide that leads through a task step by step.',
  default_length: 900,
  variables: [
    {
      name: 'task',
      description: 'What can be done after it, where the description does not say.',
      required: false,
      default: 'the task that is described',
    },
    {
      name: 'level',
      description: 'What is known before.',
      required: false,
      default: 'no knowledge of the subject',
    },
    {
      name: 'tools',
      description: 'What is needed.',
      required: false,
      default: 'what the task needs',
    },
  ],
  instructions: `Write the script of a tutorial that is spoken while it is shown.
Task: {{task}}. Known before: {{level}}. Needed: {{tools}}.
Begin each step with what to do, then say how one sees that it worked. One action a sentence. Say what often goes wrong where it goes wrong, and how to mend it. Use the same word for the same thing throughout.`,
  parts: [
    { name: 'Goal', purpose: 'What will be there in the end, and who it is for.', share: 0.1 },
    { name: 'Preparation', purpose: 'What is needed, and how to make it ready.', share: 0.15 },
    {
      name: 'Steps',
      purpose: 'The steps in order, each with what to do and how to see that it worked.',
      share: 0.5,
    },
    {
      name: 'Common mistakes',
      purpose: 'What goes wrong most often, how to see it and how to mend it.',
      share: 0.15,
    },
    {
      name: 'Summary',
      purpose: 'The steps again in a sentence each, and where to go on.',
      share: 0.1,
    },
  ],
};
