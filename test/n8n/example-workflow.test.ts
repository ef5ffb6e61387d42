/** The workflow that users import into n8n, played node by node against a real origin. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { startCallbackReceiver } from '../hosts/callback-receiver.ts';
import { readStream, TEST_SECRET, textOf } from '../hosts/gateway-client.ts';
import { ROOT } from '../hosts/host.ts';
import { startOriginHost } from '../hosts/origin-host.ts';

type Json = Record<string, unknown>;

interface Workflow {
  readonly nodes: readonly {
    readonly name: string;
    readonly type: string;
    readonly parameters: Json;
  }[];
  readonly connections: Readonly<
    Record<string, { readonly main: readonly (readonly { readonly node: string }[])[] }>
  >;
}

/** What n8n's expressions see. */
interface Scope {
  readonly $json: Json;
  readonly $execution: { readonly resumeUrl: string };
  /** Another node's item. */
  readonly $: (node: string) => { readonly item: { readonly json: Json } };
}

/** Evaluates `={{ … }}` as n8n does. */
function evaluate(expression: unknown, scope: Scope): unknown {
  const code = /^=\{\{ (.*) \}\}$/s.exec(String(expression))?.[1];
  if (code === undefined) throw new Error(`no expression: ${expression}`);
  // The file is the project's own.
  const run = new Function('$json', '$execution', '$', `return (${code});`);
  return run(scope.$json, scope.$execution, scope.$);
}

async function readWorkflow() {
  const file = join(ROOT, 'examples/n8n/stream-and-wait.json');
  const workflow = JSON.parse(await readFile(file, 'utf8')) as Workflow;
  const nodeOf = (type: string) => {
    const found = workflow.nodes.find((node) => node.type === `n8n-nodes-base.${type}`);
    if (found === undefined) throw new Error(`no node of type ${type}`);
    return found;
  };
  return { workflow, nodeOf };
}

it('STREAM-1, OUTBOX-1: the example workflow gives the browser its stream and n8n its answer', async () => {
  const { nodeOf } = await readWorkflow();
  const origin = await startOriginHost({ JWT_SECRET: TEST_SECRET, DEV_MODE: 'true' });
  const receiver = await startCallbackReceiver();
  try {
    const asked: Json = { body: { prompt: 'Why do rivers meander?', userId: 'user-7' } };
    const resumeUrl = `${receiver.urlFor('example')}?signature=abc`;
    const scopeOf = ($json: Json): Scope => ({
      $json,
      $execution: { resumeUrl },
      $: (node) => {
        expect(node).toBe(nodeOf('webhook').name);
        return { item: { json: asked } };
      },
    });

    const claims = evaluate(nodeOf('jwt').parameters['claimsJson'], scopeOf(asked));
    const token = await new SignJWT(JSON.parse(String(claims)) as Json)
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .sign(new TextEncoder().encode(TEST_SECRET));

    const { method, url, jsonBody } = nodeOf('httpRequest').parameters;
    const opened = await fetch(String(url).replace(/^https?:\/\/[^/]+/, origin.baseUrl), {
      method: String(method),
      headers: { 'content-type': 'application/json' },
      body: String(evaluate(jsonBody, scopeOf({ token }))),
    });
    expect(opened.status).toBe(200);
    const answered = (await opened.json()) as Json;

    const reply = evaluate(
      nodeOf('respondToWebhook').parameters['responseBody'],
      scopeOf(answered),
    );
    const { streamUrl } = JSON.parse(String(reply)) as { streamUrl: string };
    const text = textOf((await readStream(streamUrl)).events);
    expect(text).not.toBe('');

    const { target, body } = await receiver.attempt('example');
    expect(target).toContain('?signature=abc');
    const { assignments } = nodeOf('set').parameters['assignments'] as {
      assignments: readonly { readonly name: string; readonly value: string }[];
    };
    const kept = Object.fromEntries(
      assignments.map(({ name, value }) => [name, evaluate(value, scopeOf({ body }))]),
    );
    expect(kept).toEqual({
      status: 'completed',
      answer: text,
      input_tokens: expect.any(Number),
      output_tokens: expect.any(Number),
    });
    expect(body['userId']).toBe('user-7');
  } finally {
    await receiver.close();
    await origin.close();
  }
});

it('the example waits for a POST, after the browser has its answer', async () => {
  const { workflow, nodeOf } = await readWorkflow();
  // The Wait node answers GET alone where it is not told otherwise.
  expect(nodeOf('wait').parameters).toMatchObject({ resume: 'webhook', httpMethod: 'POST' });
  const order = [nodeOf('webhook').name];
  for (let at = 0; order[at] !== undefined; at += 1) {
    const next = workflow.connections[String(order[at])]?.main[0]?.[0]?.node;
    if (next === undefined) break;
    order.push(next);
  }
  const types = ['webhook', 'jwt', 'httpRequest', 'respondToWebhook', 'wait', 'set'];
  expect(order).toEqual(types.map((type) => nodeOf(type).name));
});
