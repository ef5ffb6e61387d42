/** An interview with questions and the answers to be expected. */

import type { ScriptTemplate } from '../template.ts';

export const interview: ScriptTemplate = {
  id: 'interview',
  version: 1,
  script_type: 'interview',
  name: 'Interview',
  description: 'An interview with questions and the answers to be expected.',
  default_length: 1200,
  variables: [
    { name: 'guest', description: 'Who is asked.', required: true },
    {
      name: 'focus',
      description: 'What the interview is after.',
      required: false,
      default: 'the work of the guest',
    },
    {
      name: 'tone_of_questions',
      description: 'How it is asked, such as friendly or firm.',
      required: false,
      default: 'friendly and exact',
    },
  ],
  instructions: `Write the script of an interview: what is asked, and, as drafts in the guest's words, what the answer may be.
Guest: {{guest}}. Focus: {{focus}}. Questions are {{tone_of_questions}}.
Open questions, one at a time; each follows from the answer before it. Put nothing into the guest's mouth as a fact that is not given: mark such drafts with square brackets.`,
  parts: [
    { name: 'Introduction', purpose: 'Who the guest is and why now.', share: 0.12 },
    { name: 'Warm-up', purpose: 'Easy questions that show the person.', share: 0.2 },
    { name: 'Core', purpose: 'The questions that the interview is there for.', share: 0.38 },
    { name: 'Challenge', purpose: 'What the guest is criticised for, or unsure of.', share: 0.18 },
    { name: 'Closing', purpose: 'A look ahead and a last, personal question.', share: 0.12 },
  ],
};
