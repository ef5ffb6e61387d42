/** A spot for screen or radio that ends with one thing to do. */

import type { ScriptTemplate } from '../template.ts';

export const advertisement: ScriptTemplate = {
  id: 'advertisement',
  version: 1,
  script_type: 'advertisement',
  name: 'Advertisement',
  description: 'A spot for screen or radio that ends with one thing to do.',
  default_length: 150,
  variables: [
    { name: 'product', description: 'What is advertised.', required: true },
    {
      name: 'audience',
      description: 'Whom it is for.',
      required: false,
      default: 'people who could use it',
    },
    {
      name: 'call_to_action',
      description: 'The one thing to do in the end.',
      required: false,
      default: 'find out more',
    },
  ],
  instructions: `Write an advertising spot with spoken lines and short notes for pictures and sounds in square brackets.
Product: {{product}}. Audience: {{audience}}. The one thing to do in the end: {{call_to_action}}.
One idea, one benefit, plain words. Claim nothing that is not given: no numbers, tests, prices or comparisons of your own.`,
  parts: [
    { name: 'Hook', purpose: 'A moment that the audience knows from its own life.', share: 0.25 },
    { name: 'Promise', purpose: 'What gets better, shown and not asserted.', share: 0.3 },
    { name: 'Reason', purpose: 'Why it can be believed, from what is given.', share: 0.25 },
    { name: 'Call', purpose: 'The one thing to do, said once.', share: 0.2 },
  ],
};
