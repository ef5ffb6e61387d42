/** A conversation with everything in it that a model request may hold: for the vendors' body tests. */

import type { ModelRequest } from '../providers/contract.ts';

/** The first bytes of a PNG. */
export const PNG_BASE64 = 'iVBORw0KGgo=';

/** The same as a URL. */
export const PNG_URL = `data:image/png;base64,${PNG_BASE64}`;

const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

/** Two tools called at once, both answered, and a further question. */
export const TOOL_CONVERSATION: ModelRequest = {
  model: 'the-model',
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: 'Where is it?',
      parts: [
        { type: 'text', text: 'Where is it?' },
        { type: 'text', text: '' },
        { type: 'image_url', image_url: { url: PNG_URL, detail: 'low' } },
      ],
    },
    {
      role: 'assistant',
      content: 'Let me see.',
      toolCalls: [
        { id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' },
        { id: 'c2', name: 'clock', arguments: '' },
      ],
    },
    { role: 'tool', content: 'Rain.', toolCallId: 'c1' },
    { role: 'tool', content: 'Noon.', toolCallId: 'c2' },
    { role: 'assistant', content: '', toolCalls: [{ id: 'c3', name: 'clock', arguments: '{}' }] },
    { role: 'tool', content: 'Later.', toolCallId: 'c3' },
    { role: 'user', content: 'And now?' },
  ],
  maxTokens: 9,
  tools: [
    { name: 'weather', description: 'Tells the weather.', parameters: schema, strict: true },
    { name: 'clock' },
  ],
  toolChoice: 'required',
  parallelToolCalls: false,
  topP: 0.5,
  stop: ['END'],
  openaiParams: { seed: 7, user: 'u' },
};
