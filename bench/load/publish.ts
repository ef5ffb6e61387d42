/** Nchan's publisher. */

import { type Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Posts the texts one by one, each `delayMs` after the one before. Rejects when one is refused.
 */
export async function publish(
  url: string,
  texts: readonly string[],
  delayMs: number,
  agent: Agent,
): Promise<void> {
  for (const text of texts) {
    await post(url, text, agent);
    await sleep(delayMs);
  }
}

function post(url: string, text: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method: 'POST' }, (answer) => {
      answer.resume();
      // 201: subscribers were there; 202: it waits for one.
      if (answer.statusCode === 201 || answer.statusCode === 202) answer.on('end', resolve);
      else reject(new Error(`publishing: status ${answer.statusCode}`));
    });
    outgoing.on('error', reject);
    outgoing.end(text);
  });
}
