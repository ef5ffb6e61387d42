/** A process that reads one document and is ended. Started by document-reader.ts alone. */

import { readFile } from 'node:fs/promises';
import { describeError } from '@headwater/shared/protocol/describe-error';
import { GatewayError } from '@headwater/shared/protocol/errors';
import type { Json } from '@headwater/shared/tasks/task';
import { cutPassages } from '@headwater/shared/text/retrieval/chunk';
import { behaveAsChild, sendToParent } from '../engines/child-manners.ts';
import type { ToChild } from '../engines/engine-messages.ts';
import { type DocumentFormat, MEDIA_TYPES } from './document-format.ts';
import { readDocument } from './read-document.ts';
import { describeRead } from './reader-messages.ts';

/** It is ended before engines and server when memory runs out. */
const OOM_SCORE = 800;

behaveAsChild(OOM_SCORE);

process.on('message', (message) => {
  const asked = message as ToChild;
  if (asked.type === 'run') void run(asked);
});
sendToParent({ type: 'ready' });

async function run({ attempt, params, files }: Extract<ToChild, { type: 'run' }>): Promise<void> {
  try {
    const format = String(params['format']) as DocumentFormat;
    const path = files[0]?.path;
    if (path === undefined || !Object.hasOwn(MEDIA_TYPES, format)) throw new Error('no file');
    const content = await readDocument(
      new Uint8Array(await readFile(path)),
      format,
      String(params['mediaType']),
    );
    const result = describeRead(content, cutPassages(content));
    sendToParent({ type: 'done', attempt, result: result as unknown as Json });
  } catch (thrown) {
    sendToParent({ type: 'failed', attempt, ...failureOf(thrown) });
  }
}

function failureOf(thrown: unknown) {
  const cause = describeError(thrown);
  if (thrown instanceof GatewayError) return { code: thrown.code, message: thrown.message, cause };
  // A parser's own error, or a stack that was too deep for it: the document is at fault.
  const message = 'The document cannot be read: it is damaged, or nested too deep.';
  return { code: 'validation_failed' as const, message, cause };
}
