import type { EngineHealth, HealthReport, ProviderHealth } from './health.ts';

/** What the start says once the stack is ready. */
export type Summary = {
  /** Absent when the origin runs alone. */
  readonly edgeUrl?: string;
  readonly originUrl: string;
  /** The report of the half that clients talk to. */
  readonly health: HealthReport;
  /** A token for the example; absent when the stack would refuse the example's callback. */
  readonly token?: string;
};

/** The text printed when everything is ready, ending in a line end. */
export function formatSummary({ edgeUrl, originUrl, health, token }: Summary): string {
  const lines = ['', `Headwater ${health.version} is running; Ctrl-C stops it.`];
  if (edgeUrl !== undefined) lines.push(`  edge    ${edgeUrl}`);
  lines.push(`  origin  ${originUrl}`, '', `Providers (default model: ${health.defaultModel})`);
  lines.push(...formatTable(health.providers, describeProvider));
  const engines = formatTable(health.engines, describeEngine);
  if (engines.length > 0) lines.push('', 'Engines (by type of task)', ...engines);
  lines.push('');
  if (token === undefined) {
    lines.push('With DEV_MODE=true this would show a curl that streams an answer.');
  } else {
    lines.push('Stream an answer (the token is good for an hour):');
    lines.push(`  ${formatCurlLine(edgeUrl ?? originUrl, token)}`);
  }
  return `${lines.join('\n')}\n\n`;
}

function formatTable<Row>(
  rows: Readonly<Record<string, Row>>,
  describe: (row: Row) => string,
): string[] {
  const width = Math.max(...Object.keys(rows).map((name) => name.length));
  return Object.entries(rows).map(([name, row]) => `  ${name.padEnd(width)}  ${describe(row)}`);
}

/** One engine's state, and what it takes where it is not there. */
export function describeEngine({ live, missing }: EngineHealth): string {
  if (live) return 'live';
  return missing === undefined ? 'off' : `off: ${missing}`;
}

/** One provider's state, and the setting that would make it real where one would. */
export function describeProvider({ live, setting, simulated }: ProviderHealth): string {
  if (live && simulated !== true) return 'live';
  const state = simulated === true ? 'simulated' : 'off';
  return setting === undefined ? `${state}, built in` : `${state}: set ${setting} to make it real`;
}

/** A command that opens a stream and reads it, with nothing but curl and sed. */
export function formatCurlLine(baseUrl: string, token: string): string {
  const body = JSON.stringify({
    n8nToken: token,
    resumeUrl: `${baseUrl}/dev/callback`,
    prompt: 'Why do rivers meander?',
  });
  const open = `curl -s ${baseUrl}/init-stream -H 'content-type: application/json' -d '${body}'`;
  return `curl -N -s "$(${open} | sed -n 's/.*"streamUrl":"\\([^"]*\\)".*/\\1/p')"`;
}
