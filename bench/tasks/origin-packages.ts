/** Packages of the origin: its peers run on the same versions. */

import { createRequire } from 'node:module';

const fromOrigin = createRequire(new URL('../../origin/package.json', import.meta.url));

type Bullmq = typeof import('../../origin/node_modules/bullmq/dist/esm/index.js');
type Fastify = typeof import('../../origin/node_modules/fastify/fastify.js');
type Zod = typeof import('../../origin/node_modules/zod/index.js');

export const { Queue, Worker } = fromOrigin('bullmq') as Bullmq;
export const { fastify } = fromOrigin('fastify') as Fastify;
export const { z } = fromOrigin('zod') as Zod;
