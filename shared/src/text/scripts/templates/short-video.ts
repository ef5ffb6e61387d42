/** A vertical video of a minute or so that is watched to its end. */

import type { ScriptTemplate } from '../template.ts';

export const shortVideo: ScriptTemplate = {
  id: 'short-video',
  version: 1,
  script_type: 'short-video',
  name: 'Short video',
  description: 'A vertical video of a minute or so that is watched to its end.',
  default_length: 160,
  variables: [
    {
      name: 'platform',
      description: 'Where it is shown.',
      required: false,
      default: 'a feed of short videos',
    },
    {
      name: 'goal',
      description: 'What it is to bring about.',
      required: false,
      default: 'that it is watched to the end',
    },
  ],
  instructions: `Write the script of a short vertical video: spoken words, with what is seen and what stands on the screen in square brackets.
Platform: {{platform}}. Goal: {{goal}}.
The first sentence holds the reason to stay. Something changes on the screen every three seconds. No greeting and no introduction.`,
  parts: [
    {
      name: 'Hook',
      purpose: 'The first three seconds: a claim, a question or a sight that needs an answer.',
      share: 0.2,
    },
    { name: 'Body', purpose: 'The answer in steps, each with a picture.', share: 0.55 },
    { name: 'Close', purpose: 'The result, and a reason to watch it again.', share: 0.25 },
  ],
};
