import { describe, expect, it } from 'vitest';
import { GatewayError } from '../protocol/errors.ts';
import type { ModelProvider, ProviderName } from './contract.ts';
import { createEchoProvider } from './echo/adapter.ts';
import { createProviderRegistry, MISSING_OLLAMA_AT_EDGE } from './registry.ts';

const fake = (name: ProviderName): ModelProvider => ({ ...createEchoProvider(), name });
const [openai, anthropic, echo] = [fake('openai'), fake('anthropic'), fake('echo')];

function refusal(action: () => unknown): GatewayError {
  try {
    action();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(GatewayError);
    return thrown as GatewayError;
  }
  throw new Error('nothing was thrown');
}

describe('the provider registry', () => {
  it('PROV-17: resolves a name to its vendor and the vendor’s own model name', () => {
    const registry = createProviderRegistry({ providers: { openai, echo } });
    expect(registry.resolve('openai/x')).toEqual({
      provider: openai,
      model: 'x',
      name: 'openai/x',
    });
  });

  it.each([
    [{ openai, anthropic, echo }, 'gpt-4'],
    [{ anthropic, echo }, 'claude-sonnet-5-5'],
    [{ echo }, 'echo'],
  ])('PROV-17: takes the default model of the first live vendor (%#)', (providers, model) => {
    const registry = createProviderRegistry({ providers });
    expect(registry.defaultModel).toBe(model);
    expect(registry.resolve(undefined).name).toBe(model);
  });

  it('PROV-17: prefers the setting DEFAULT_MODEL, and refuses one that means no vendor', () => {
    const registry = createProviderRegistry({ providers: { openai, echo }, defaultModel: 'echo' });
    expect(registry.resolve(undefined).provider).toBe(echo);
    const error = refusal(() => createProviderRegistry({ providers: { echo }, defaultModel: 'x' }));
    expect(error.message).toContain('DEFAULT_MODEL');
  });

  it('PROV-18: refuses an unknown model and lists the families', () => {
    const registry = createProviderRegistry({ providers: { echo } });
    const error = refusal(() => registry.resolve('llama-9'));
    expect(error.code).toBe('validation_failed');
    expect(error.message).toContain('claude-…');
    expect(error.details?.fields?.[0]?.path).toBe('model');
  });

  it('PROV-23: shows the circuit of a live vendor that has one', () => {
    const guarded = { ...openai, circuit: () => 'open' as const };
    const live = createProviderRegistry({ providers: { openai: guarded, echo } }).live();
    expect(live.openai).toEqual({ isLive: true, isSimulated: false, circuit: 'open' });
    expect(live.echo).not.toHaveProperty('circuit');
    expect(live.azure.missing).toContain('AZURE_OPENAI_ENDPOINT');
  });

  it('PROV-18: names the setting of a vendor that is not wired', () => {
    const missing = { ollama: MISSING_OLLAMA_AT_EDGE };
    const registry = createProviderRegistry({ providers: { echo }, missing });
    expect(refusal(() => registry.resolve('gpt-4')).code).toBe('unavailable');
    expect(refusal(() => registry.resolve('gpt-4')).message).toContain('OPENAI_API_KEY');
    expect(refusal(() => registry.resolve('claude-x')).message).toContain('ANTHROPIC_API_KEY');
    expect(refusal(() => registry.resolve('ollama/x')).message).toContain('ORIGIN_URL');
  });

  it('PROV-18: tells which vendors are live, which is simulated, and what the rest miss', () => {
    const live = createProviderRegistry({ providers: { openai, echo } }).live();
    expect(live.openai).toEqual({ isLive: true, isSimulated: false });
    expect(live.echo).toEqual({ isLive: true, isSimulated: true });
    expect(live.anthropic.missing).toContain('ANTHROPIC_API_KEY');
  });
});
