import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import type { ModelEvent, ProviderName } from '../providers/contract.ts';
import type { ResolvedModel } from '../providers/registry.ts';
import { askModels } from './ask-model.ts';

const request = { messages: [{ role: 'user' as const, content: 'Hi' }], maxTokens: 10 };
const broken = new GatewayError('upstream_failed', 'It broke.');

/** A model that says the events, and then fails where it is told to. */
function model(name: string, events: readonly ModelEvent[], failure?: Error): ResolvedModel {
  return {
    name,
    model: name,
    provider: {
      name: name as ProviderName,
      async *stream() {
        for (const event of events) yield [event];
        if (failure !== undefined) throw failure;
      },
    },
  };
}

const text = (value: string): ModelEvent => ({ type: 'text', text: value });
const whole = [
  text('a'),
  text('b'),
  { type: 'usage', inputTokens: 3, outputTokens: 4 } as const,
  { type: 'finish', reason: 'stop' } as const,
];
const never = () => new AbortController().signal;

describe('asking models', () => {
  it('ANSWER-14: hears the first one to its end, and says which one it was', async () => {
    const heard: string[] = [];
    const targets = [model('one', whole), model('two', [])];
    const answer = await askModels(targets, request, never(), (piece) => heard.push(piece));
    expect(answer).toEqual({
      text: 'ab',
      model: 'one',
      provider: 'one',
      finishReason: 'stop',
      usage: { inputTokens: 3, outputTokens: 4, source: 'provider' },
    });
    expect(heard).toEqual(['a', 'b']);
  });

  it('ANSWER-14: the next one takes over from one that fails before its first word', async () => {
    const targets = [model('one', [], broken), model('two', whole)];
    const heard: string[] = [];
    const answer = await askModels(targets, request, never(), (piece) => heard.push(piece));
    expect([answer.model, heard]).toEqual(['two', ['a', 'b']]);
  });

  it('ANSWER-14: what was heard is not said again: a later failure is thrown', async () => {
    const targets = [model('one', [text('a')], broken), model('two', whole)];
    await expect(askModels(targets, request, never(), () => undefined)).rejects.toBe(broken);
    // Where nobody hears, the next one begins anew.
    expect(await askModels(targets, request, never())).toMatchObject({ text: 'ab', model: 'two' });
  });

  it('ANSWER-14: the last failure is the caller’s, and there is one without a model', async () => {
    const last = new GatewayError('unavailable', 'No key.');
    const targets = [model('one', [], broken), model('two', [], last)];
    await expect(askModels(targets, request, never())).rejects.toBe(last);
    await expect(askModels([], request, never())).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('ANSWER-14: nobody takes over once the caller has left', async () => {
    const leaving = new AbortController();
    let isAsked = false;
    const other = model('two', whole);
    const targets: ResolvedModel[] = [
      model('one', [], broken),
      {
        ...other,
        provider: {
          name: 'echo',
          stream(...asked) {
            isAsked = true;
            return other.provider.stream(...asked);
          },
        },
      },
    ];
    leaving.abort(new Error('left'));
    await expect(askModels(targets, request, leaving.signal)).rejects.toThrow('left');
    expect(isAsked).toBe(false);
  });

  it('ANSWER-14: counts the tokens that its vendor does not, and ends an answer without an end', async () => {
    const silent = await askModels([model('one', [text('Hello there')])], request, never());
    expect(silent.usage.source).toBe('tokenizer');
    expect(silent.usage.outputTokens).toBeGreaterThan(0);
    const endless = model('one', [text('a'.repeat(1024 * 1024)), text('b')]);
    await expect(askModels([endless], request, never())).rejects.toMatchObject({
      code: 'payload_too_large',
    });
  });
});
