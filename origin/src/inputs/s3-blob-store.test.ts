import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeBlobStore } from '../testing/blob-store-contract.ts';
import { withInputFolder } from '../testing/input-folder.ts';
import { type S3Server, startS3 } from '../testing/s3-server.ts';
import { createS3BlobStore } from './s3-blob-store.ts';
import { createS3Client } from './s3-client.ts';
import { openSpool } from './spool.ts';

let server: S3Server;
let turn = 0;

beforeAll(async () => {
  server = await startS3(Array.from({ length: 12 }, (_, at) => `bucket-${at}`));
});
afterAll(() => server.stop());

describeBlobStore('an S3 store', (test) =>
  withInputFolder(async ({ path, files }) => {
    const spool = await openSpool(path);
    const client = createS3Client(server.settings);
    const before = (await server.files()).length;
    const bucket = `bucket-${turn}`;
    turn += 1;
    try {
      await test({
        blobs: createS3BlobStore({ client, bucket, spool }),
        spool,
        stored: async () => (await server.files()).length - before,
        spooled: async () => (await files()).length,
      });
    } finally {
      client.destroy();
    }
  }),
);

it('INPUT-21: a store that refuses is `unavailable`, is asked twice, and nothing is left', () =>
  withInputFolder(async ({ path, files }) => {
    const asked: (string | undefined)[] = [];
    const down = createServer((request, response) => {
      asked.push(request.method);
      request.resume().on('end', () => {
        response.statusCode = 503;
        response.end('<Error><Code>SlowDown</Code></Error>');
      });
    });
    await new Promise<void>((resolve) => down.listen(0, '127.0.0.1', resolve));
    const { port } = down.address() as AddressInfo;
    const client = createS3Client({ ...server.settings, endpoint: `http://127.0.0.1:${port}` });
    try {
      const blobs = createS3BlobStore({ client, bucket: 'down', spool: await openSpool(path) });
      const source = async function* () {
        yield Buffer.from('x');
      };
      await expect(blobs.put(source(), 10)).rejects.toMatchObject({ code: 'unavailable' });
      expect(asked.filter((method) => method === 'PUT')).toHaveLength(2);
      expect(await files()).toEqual([]);
    } finally {
      client.destroy();
      down.closeAllConnections();
      down.close();
    }
  }));
