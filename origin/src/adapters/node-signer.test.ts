import { createAccessTokens } from '@headwater/shared/security/access-token';
import { createWebSigner } from '@headwater/shared/security/hmac-keys';
import {
  createWebhookSigner,
  deriveWebhookSecret,
} from '@headwater/shared/security/webhook-signature';
import { describe, expect, it } from 'vitest';
import { createNodeSigner } from './node-signer.ts';

const SECRET = 'first-secret-of-at-least-32-bytes!!';
const TEXTS = ['', 'plain', 'žluťoučký kůň 🐎', '\ud83c half a pair', 'x'.repeat(10_000)];

describe("Node's signer", () => {
  it.each([1, 35, 64, 200])(
    'AUTH-9, CALLBACK-7: signs as WebCrypto does, whatever the text (a key of %i bytes)',
    async (length) => {
      const key = new Uint8Array(length).fill(0xa7);
      const sign = createNodeSigner(key);
      const signWeb = createWebSigner(key);
      for (const text of TEXTS) {
        for (const encoding of ['base64', 'base64url'] as const) {
          expect(sign(text, encoding)).toBe(await signWeb(text, encoding));
        }
      }
    },
  );

  it('AUTH-9: a token that it signed is opened by who has the secret alone, and by no other', async () => {
    const mine = createAccessTokens({ secrets: [SECRET], signerOf: createNodeSigner });
    const token = mine.issue('s1', Date.now() + 60_000);
    expect(token).toEqual(expect.any(String));
    const theirs = createAccessTokens({ secrets: [SECRET] });
    await expect(theirs.verify(await token, 's1')).resolves.toBeUndefined();
    const strangers = createAccessTokens({ secrets: [`${SECRET}!`] });
    await expect(strangers.verify(await token, 's1')).rejects.toMatchObject({
      code: 'unauthorized',
    });
  });

  it('CALLBACK-8: a callback has one signature of each secret, the same on every host', async () => {
    const secrets = await Promise.all([SECRET, `${SECRET}!`].map(deriveWebhookSecret));
    const callback = { id: 'msg_1', timestampSeconds: 1_900_000_000, body: '{"answer":"🐎"}' };
    const signed = createWebhookSigner(secrets, createNodeSigner)(callback);
    expect(signed).toEqual(await createWebhookSigner(secrets)(callback));
    expect(signed).toMatchObject({
      'webhook-signature': expect.stringMatching(/^v1,[\w+/]{43}= v1,[\w+/]{43}=$/),
    });
  });
});
