/** Writes nginx' configuration. Pure text. */

/** One nginx on one port of 127.0.0.1. */
export interface NginxOptions {
  readonly port: number;
  /** Everything it writes goes there. */
  readonly directory: string;
  readonly isRoot: boolean;
  readonly role:
    | { readonly kind: 'proxy' /** Host and port. */; readonly upstream: string }
    | { readonly kind: 'nchan' /** Path of the module. */; readonly module: string };
}

/**
 * The configuration. One worker: the cheapest there is, as nothing passes between processes. No
 * log, connections kept on both sides, nothing buffered.
 */
export function nginxConfig({ port, directory, isRoot, role }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${directory}/${name};`)
    .join('\n');
  return `${role.kind === 'nchan' ? `load_module ${role.module};\n` : ''}daemon off;
worker_processes 1;
pid ${directory}/nginx.pid;
error_log stderr error;
${isRoot ? '# The folder of a run is closed to everybody else.\nuser root;\n' : ''}events { worker_connections 8192; }
http {
${temporary}
  access_log off;
  tcp_nodelay on;
  keepalive_timeout 300s;
  keepalive_requests 1000000;
${role.kind === 'proxy' ? upstream(role.upstream) : '  nchan_shared_memory_size 128M;'}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = /health { return 200 'ok'; }
${role.kind === 'proxy' ? PROXY : CHANNELS}
  }
}
`;
}

const upstream = (address: string) => `  upstream vendor {
    server ${address};
    keepalive 256;
    keepalive_requests 1000000;
    keepalive_timeout 300s;
  }`;

const PROXY = `    location / {
      proxy_pass http://vendor;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_read_timeout 60s;
    }`;

// It keeps what was published, as the gateway's log does.
const CHANNELS = `    location ~ ^/publish/(\\w+)$ {
      nchan_publisher;
      nchan_channel_id $1;
      nchan_message_buffer_length 10000;
      nchan_message_timeout 600s;
    }
    location ~ ^/subscribe/(\\w+)$ {
      nchan_subscriber eventsource;
      nchan_channel_id $1;
      nchan_subscriber_first_message oldest;
    }`;
