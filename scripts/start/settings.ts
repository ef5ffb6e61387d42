import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { SETTING_NAMES } from '@headwater/shared/protocol/settings';
import { CommandFault } from '../processes/command.ts';

const DEFAULT_EDGE_PORT = 8787;
const DEFAULT_ORIGIN_PORT = 8000;

/** The settings of the edge, but for the address of the origin, which the stack knows itself. */
const EDGE_SETTINGS = SETTING_NAMES.filter((name) => name !== 'ORIGIN_URL');

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the two halves of the stack listen, both on 127.0.0.1. */
export type StackPorts = { readonly edge: number; readonly origin: number };

/**
 * The environment with the root's `.env` beneath it: what the process was started with wins. An
 * empty value counts as unset, so that `OPENAI_API_KEY= npm start` switches off what `.env` sets.
 *
 * @param root repository root
 */
export function readEnvironment(root: string, processEnv: Environment): Record<string, string> {
  const file = join(root, '.env');
  const fromFile = existsSync(file) ? parseEnv(readFileSync(file, 'utf8')) : {};
  return mergeEnvironment(fromFile, processEnv);
}

/** Lays `over` on `under`, then drops what is empty. */
export function mergeEnvironment(under: Environment, over: Environment): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...under, ...over })) {
    if (value !== undefined && value !== '') merged[name] = value;
  }
  return merged;
}

/**
 * Reads `EDGE_PORT` (8787) and `ORIGIN_PORT` (8000).
 *
 * @throws CommandFault when one is no port number, or both are the same
 */
export function readPorts(environment: Environment): StackPorts {
  const edge = readPort(environment, 'EDGE_PORT', DEFAULT_EDGE_PORT);
  const origin = readPort(environment, 'ORIGIN_PORT', DEFAULT_ORIGIN_PORT);
  if (edge === origin) {
    throw new CommandFault(`EDGE_PORT and ORIGIN_PORT are both ${edge}: give each its own.`);
  }
  return { edge, origin };
}

function readPort(environment: Environment, name: string, defaultPort: number): number {
  const text = environment[name];
  if (text === undefined) return defaultPort;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new CommandFault(`${name} must be a port number from 1 to 65535, not "${text}".`);
  }
  return port;
}

/** The part of the environment that the edge is configured with. */
export function pickEdgeSettings(environment: Environment): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of EDGE_SETTINGS) {
    const value = environment[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

/** The environment without any setting of the edge: what a tool needs that only runs it. */
export function omitEdgeSettings(environment: Environment): Record<string, string> {
  const names: ReadonlySet<string> = new Set(EDGE_SETTINGS);
  const kept = Object.entries(environment).filter(([name]) => !names.has(name));
  return mergeEnvironment({}, Object.fromEntries(kept));
}
