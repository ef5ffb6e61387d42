/** `GET /api/v1/voices`: the voices of the engine that speaks. */

import { GatewayError } from '@headwater/shared/protocol/errors';
import type { FastifyInstance } from 'fastify';
import type { OriginGateway } from '../gateway.ts';
import { callerOf } from './task-request.ts';

/** Adds the route. */
export function addTaskVoices(app: FastifyInstance, { authorise, tasks }: OriginGateway): void {
  app.get('/api/v1/voices', async (request) => {
    await callerOf(authorise, request);
    const speech = tasks.engines.all().get('voice-synthesis');
    const missing = speech?.live === false ? speech.missing : 'Its engine names no voices.';
    throw new GatewayError('unavailable', `There are no voices. ${missing}`);
  });
}
