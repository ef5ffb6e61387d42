/** Azure OpenAI: OpenAI's protocol under a resource's own endpoint, a deployment for a model. */

import { AzureOpenAI } from 'openai';
import type { AzureSettings } from '../../protocol/settings.ts';
import { DEFAULT_TIMEOUTS } from '../../protocol/upstream-settings.ts';
import type { ModelProvider, ModelRequest } from '../contract.ts';
import type { VendorWords } from '../http-fault.ts';
import { toBody } from '../openai/body.ts';
import { createOpenAIConverter } from '../openai/convert.ts';
import { toOpenAIError } from '../openai/error.ts';
import { stoppedBy, withOwnSignal } from '../own-signal.ts';
import { createSseDecoder } from '../sse-body.ts';
import { recogniseTexts } from '../text-shape.ts';
import type { VendorSettings } from '../vendor-settings.ts';
import { streamVendor } from '../vendor-stream.ts';

const WORDS: VendorWords = {
  vendor: 'Azure OpenAI',
  keySetting: 'AZURE_OPENAI_API_KEY',
  urlSetting: 'AZURE_OPENAI_ENDPOINT',
};

/** How to reach a resource. */
export type AzureProviderSettings = AzureSettings & Pick<VendorSettings, 'timeouts' | 'fetch'>;

/**
 * A provider on the SDK's own Azure client: `api-key` header, the deployment in the path. A
 * deployment's name says nothing sure about its model; one that begins as OpenAI's reasoning models
 * do is taken for one of them. A key cannot list deployments, so there is no `listModels`.
 */
export function createAzureProvider(settings: AzureProviderSettings): ModelProvider {
  const timeouts = settings.timeouts ?? DEFAULT_TIMEOUTS;
  // Every credential and address is given, so that the SDK takes none from the environment.
  const client = new AzureOpenAI({
    apiKey: settings.apiKey,
    apiVersion: settings.apiVersion,
    // `endpoint` would be refused wherever the environment holds an OPENAI_BASE_URL.
    baseURL: `${settings.endpoint}/openai`,
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    timeout: timeouts.totalMs,
    maxRetries: 0,
    logLevel: 'off',
    fetch: withOwnSignal(settings.fetch),
  });
  return {
    name: 'azure',
    stream: (request, signal) =>
      streamVendor(
        () => ({
          vendor: WORDS.vendor,
          open: (stop) =>
            client.chat.completions
              .create(toBody(request), { ...stoppedBy(stop), headers: toHeaders(request) })
              .asResponse(),
          decoder: createSseDecoder(recogniseTexts(() => createOpenAIConverter(WORDS.vendor))),
          mapError: (thrown) => toOpenAIError(thrown, request.model, WORDS),
          timeouts,
        }),
        signal,
      ),
  };
}

/** Azure's name of the caller's own request id. */
function toHeaders(request: ModelRequest): Record<string, string> {
  return request.streamId === undefined ? {} : { 'x-ms-client-request-id': request.streamId };
}
