/** The package has no types of its own; these are of what the page uses. */
declare module 'swagger-ui-dist/swagger-ui-es-bundle.js' {
  interface Options {
    readonly dom_id: string;
    readonly url: string;
    readonly deepLinking?: boolean;
    readonly displayRequestDuration?: boolean;
    readonly persistAuthorization?: boolean;
    readonly validatorUrl?: string | null;
  }
  export default function SwaggerUI(options: Options): unknown;
}

declare module 'swagger-ui-dist/swagger-ui.css';
