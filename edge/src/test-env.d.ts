/** Bindings of wrangler.jsonc, as the tests' own `env` has them. */

declare namespace Cloudflare {
  interface Env {
    readonly SESSIONS: DurableObjectNamespace<import('./objects/session-object.ts').SessionObject>;
    readonly SUBJECTS: DurableObjectNamespace<import('./objects/subject-object.ts').SubjectObject>;
  }
}
