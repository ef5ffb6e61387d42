import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { createWebhookSigner, deriveWebhookSecret } from './webhook-signature.ts';

const JWT_SECRET = 'first-secret-of-at-least-32-bytes!!';

const callback = () => ({
  id: 'msg_1',
  timestampSeconds: Math.floor(Date.now() / 1000),
  body: '{"answer":"žluťoučký kůň 🐎"}',
});

describe('callback signatures', () => {
  it('CALLBACK-7: the library of Standard Webhooks verifies a signed callback', async () => {
    const secret = await deriveWebhookSecret(JWT_SECRET);
    const signed = callback();
    const headers = await createWebhookSigner([secret])(signed);
    expect(new Webhook(secret).verify(signed.body, headers)).toEqual(JSON.parse(signed.body));
    expect(headers['webhook-id']).toBe('msg_1');
    expect(headers['webhook-timestamp']).toBe(String(signed.timestampSeconds));
  });

  it('CALLBACK-7: a changed body, id or time is refused', async () => {
    const secret = await deriveWebhookSecret(JWT_SECRET);
    const signed = callback();
    const headers = await createWebhookSigner([secret])(signed);
    const webhook = new Webhook(secret);
    const later = String(signed.timestampSeconds + 1);
    expect(() => webhook.verify(`${signed.body} `, headers)).toThrow();
    expect(() => webhook.verify(signed.body, { ...headers, 'webhook-id': 'msg_2' })).toThrow();
    expect(() => webhook.verify(signed.body, { ...headers, 'webhook-timestamp': later })).toThrow();
  });

  it('CALLBACK-8: the secret depends on the JWT secret alone and does not give it away', async () => {
    const secret = await deriveWebhookSecret(JWT_SECRET);
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await deriveWebhookSecret(JWT_SECRET)).toBe(secret);
    expect(await deriveWebhookSecret(`${JWT_SECRET}!`)).not.toBe(secret);
    expect(atob(secret.slice(6))).not.toContain(JWT_SECRET);
  });

  it('CALLBACK-8: through a rotation receivers with either secret verify', async () => {
    const secrets = await Promise.all([JWT_SECRET, `${JWT_SECRET}!`].map(deriveWebhookSecret));
    const signed = callback();
    const headers = await createWebhookSigner(secrets)(signed);
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(signed.body, headers)).toBeTruthy();
    }
  });
});
