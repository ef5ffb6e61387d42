import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type S3Server, startS3 } from '../testing/s3-server.ts';
import { createS3Client } from './s3-client.ts';
import { createS3Input } from './s3-input.ts';

const OPEN = new AbortController().signal;
let server: S3Server;

beforeAll(async () => {
  server = await startS3(['inputs', 'other']);
  const client = createS3Client(server.settings);
  for (const Bucket of ['inputs', 'other']) {
    await client.send(new PutObjectCommand({ Bucket, Key: 'a b/ü?x#1.png', Body: 'content' }));
  }
  client.destroy();
});
afterAll(() => server.stop());

describe('inputs by s3://', () => {
  const open = (reference: string) =>
    createS3Input(createS3Client(server.settings), ['inputs'])(reference, 'image', OPEN);

  it('INPUT-6: an object of a listed bucket comes with its size', async () => {
    const opened = await open('s3://inputs/a b/ü?x#1.png');
    expect(opened.announcedBytes).toBe(7);
    expect(String(await buffer(Readable.from(opened.bytes)))).toBe('content');
  });

  it('INPUT-6: another bucket is `forbidden`, though it could be read', async () => {
    await expect(open('s3://other/a b/ü?x#1.png')).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('INPUT-6: an object that is not there is a fault of the field', async () => {
    const refusal = {
      code: 'validation_failed',
      message: 'image names an object that is not there.',
    };
    await expect(open('s3://inputs/nothing')).rejects.toMatchObject(refusal);
  });

  it.each([
    ...[
      's3://',
      's3://inputs',
      's3://inputs/',
      's3:///key',
      's3://In/key',
      's3://inputs/../other/x',
    ],
    ...['s3://inputs/./x', `s3://inputs/${'k'.repeat(1025)}`, 's3://a/key'],
  ])('INPUT-6: %.30s is no reference', async (reference) => {
    const refusal = { code: 'validation_failed', message: 'image is no s3://bucket/key.' };
    await expect(open(reference)).rejects.toMatchObject(refusal);
  });
});

describe('a store that refuses', () => {
  it.each([
    [403, 'AccessDenied', 'forbidden', 1],
    [403, 'InvalidAccessKeyId', 'unavailable', 1],
    [403, 'SignatureDoesNotMatch', 'unavailable', 1],
    [404, 'NoSuchBucket', 'validation_failed', 1],
    [500, 'InternalError', 'upstream_failed', 2],
    [503, 'SlowDown', 'upstream_failed', 2],
  ])('INPUT-6: %i %s is `%s`', async (status, code, expected, asked) => {
    let requests = 0;
    const scripted = createServer((_request, response) => {
      requests += 1;
      response.writeHead(status, { 'content-type': 'application/xml' });
      response.end(
        `<?xml version="1.0"?><Error><Code>${code}</Code><Message>secret</Message></Error>`,
      );
    });
    await new Promise<void>((resolve) => scripted.listen(0, '127.0.0.1', resolve));
    const { port } = scripted.address() as AddressInfo;
    const client = createS3Client({ ...server.settings, endpoint: `http://127.0.0.1:${port}` });
    try {
      const thrown = await createS3Input(client, ['inputs'])('s3://inputs/k', 'image', OPEN).catch(
        (error: unknown) => error,
      );
      expect(thrown).toMatchObject({ code: expected });
      expect((thrown as Error).message).not.toContain('secret');
      expect(requests).toBe(asked);
    } finally {
      client.destroy();
      scripted.closeAllConnections();
      scripted.close();
    }
  });

  it('INPUT-6: one that says nothing is `upstream_timeout`, one that is not there `upstream_failed`', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const openAt = (at: number) => {
      const client = createS3Client({ ...server.settings, endpoint: `http://127.0.0.1:${at}` });
      return createS3Input(client, ['inputs'], 300)('s3://inputs/k', 'image', OPEN);
    };
    await expect(openAt(port)).rejects.toMatchObject({ code: 'upstream_timeout' });
    silent.closeAllConnections();
    await new Promise((resolve) => silent.close(resolve));
    await expect(openAt(port)).rejects.toMatchObject({ code: 'upstream_failed' });
  });
});
