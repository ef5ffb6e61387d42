CREATE TABLE "answer_cache" (
	"key" text PRIMARY KEY NOT NULL,
	"text" text NOT NULL,
	"model" text NOT NULL,
	"input_tokens" integer NOT NULL,
	"output_tokens" integer NOT NULL,
	"usage_source" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"expires_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "character_sessions" (
	"session_id" text PRIMARY KEY NOT NULL,
	"details" text NOT NULL,
	"name" text NOT NULL,
	"voice" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "characters" (
	"owner" text NOT NULL,
	"id" text NOT NULL,
	"name" text NOT NULL,
	"summary" text NOT NULL,
	"details" text NOT NULL,
	"version" integer NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"updated_at_ms" bigint NOT NULL,
	CONSTRAINT "characters_owner_id_pk" PRIMARY KEY("owner","id")
);
--> statement-breakpoint
CREATE TABLE "chat_messages" (
	"session_id" text NOT NULL,
	"seq" integer NOT NULL,
	"id" text NOT NULL,
	"role" text NOT NULL,
	"content" text NOT NULL,
	"tokens" integer NOT NULL,
	"status" text NOT NULL,
	"stream_id" text,
	"turn_key" text,
	"fingerprint" text,
	"model" text,
	"provider" text,
	"finish_reason" text,
	"usage" jsonb,
	"cost" jsonb,
	"error" jsonb,
	"is_cached" boolean DEFAULT false NOT NULL,
	"facts" jsonb,
	"created_at_ms" bigint NOT NULL,
	"ended_at_ms" bigint,
	CONSTRAINT "chat_messages_session_id_seq_pk" PRIMARY KEY("session_id","seq")
);
--> statement-breakpoint
CREATE TABLE "chat_sessions" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"system" text,
	"next_seq" integer NOT NULL,
	"message_count" integer NOT NULL,
	"summary" text,
	"summary_tokens" integer DEFAULT 0 NOT NULL,
	"summary_seq" integer DEFAULT 0 NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"last_used_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "collections" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "collections_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"owner" text NOT NULL,
	"name" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "document_texts" (
	"document_id" text PRIMARY KEY NOT NULL,
	"text" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "documents" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"collection_id" integer NOT NULL,
	"title" text NOT NULL,
	"media_type" text NOT NULL,
	"bytes" bigint NOT NULL,
	"sha256" text NOT NULL,
	"source_url" text,
	"metadata" jsonb NOT NULL,
	"chars" integer NOT NULL,
	"passages" integer NOT NULL,
	"segment_id" integer NOT NULL,
	"first_passage" integer NOT NULL,
	"created_at_ms" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "lexical_blocks" (
	"segment_id" integer NOT NULL,
	"number" integer NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "lexical_blocks_segment_id_number_pk" PRIMARY KEY("segment_id","number")
);
--> statement-breakpoint
CREATE TABLE "lexical_segments" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "lexical_segments_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"collection_id" integer NOT NULL,
	"state" text NOT NULL,
	"passages" integer NOT NULL,
	"dead" integer DEFAULT 0 NOT NULL,
	"terms" integer NOT NULL,
	"lengths" "bytea" NOT NULL,
	"first_terms" text NOT NULL,
	"sources" integer[],
	"seen_at_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "passages" (
	"document_id" text NOT NULL,
	"ordinal" integer NOT NULL,
	"start_offset" integer NOT NULL,
	"end_offset" integer NOT NULL,
	"heading" text NOT NULL,
	"page" integer,
	"text" text NOT NULL,
	CONSTRAINT "passages_document_id_ordinal_pk" PRIMARY KEY("document_id","ordinal")
);
--> statement-breakpoint
CREATE TABLE "generations" (
	"id" text PRIMARY KEY NOT NULL,
	"owner" text NOT NULL,
	"project_id" text NOT NULL,
	"request" text NOT NULL,
	"template_id" text NOT NULL,
	"template_version" integer NOT NULL,
	"warnings" text NOT NULL,
	"idempotency_key" text,
	"fingerprint" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	"is_over" boolean DEFAULT false NOT NULL,
	"status" text NOT NULL,
	"progress_millis" integer DEFAULT 0 NOT NULL,
	"started_at_ms" bigint,
	"finished_at_ms" bigint,
	"text" text DEFAULT '' NOT NULL,
	"result" text,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "script_templates" (
	"owner" text NOT NULL,
	"id" text NOT NULL,
	"version" integer NOT NULL,
	"script_type" text NOT NULL,
	"body" text NOT NULL,
	"created_at_ms" bigint NOT NULL,
	CONSTRAINT "script_templates_owner_id_version_pk" PRIMARY KEY("owner","id","version")
);
--> statement-breakpoint
ALTER TABLE "character_sessions" ADD CONSTRAINT "character_sessions_session_id_chat_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "chat_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "chat_messages" ADD CONSTRAINT "chat_messages_session_id_chat_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "chat_sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "document_texts" ADD CONSTRAINT "document_texts_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "documents" ADD CONSTRAINT "documents_collection_id_collections_id_fk" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "lexical_segments" ADD CONSTRAINT "lexical_segments_collection_id_collections_id_fk" FOREIGN KEY ("collection_id") REFERENCES "collections"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "passages" ADD CONSTRAINT "passages_document_id_documents_id_fk" FOREIGN KEY ("document_id") REFERENCES "documents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "answer_cache_by_expiry" ON "answer_cache" USING btree ("expires_at_ms");--> statement-breakpoint
CREATE INDEX "characters_by_age" ON "characters" USING btree ("owner","created_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_messages_by_id" ON "chat_messages" USING btree ("id");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_messages_by_turn_key" ON "chat_messages" USING btree ("turn_key");--> statement-breakpoint
CREATE UNIQUE INDEX "chat_messages_pending" ON "chat_messages" USING btree ("session_id") WHERE "chat_messages"."status" = 'pending';--> statement-breakpoint
CREATE INDEX "chat_sessions_by_owner" ON "chat_sessions" USING btree ("owner","created_at_ms","id");--> statement-breakpoint
CREATE INDEX "chat_sessions_by_use" ON "chat_sessions" USING btree ("last_used_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "collections_by_owner" ON "collections" USING btree ("owner","name");--> statement-breakpoint
CREATE UNIQUE INDEX "documents_by_content" ON "documents" USING btree ("collection_id","sha256");--> statement-breakpoint
CREATE INDEX "documents_by_owner" ON "documents" USING btree ("owner","created_at_ms","id");--> statement-breakpoint
CREATE INDEX "documents_by_segment" ON "documents" USING btree ("segment_id","first_passage");--> statement-breakpoint
CREATE INDEX "lexical_segments_by_collection" ON "lexical_segments" USING btree ("collection_id","state");--> statement-breakpoint
CREATE INDEX "lexical_segments_retired" ON "lexical_segments" USING btree ("id") WHERE "lexical_segments"."state" = 'retired';--> statement-breakpoint
CREATE INDEX "generations_by_owner" ON "generations" USING btree ("owner","created_at_ms","id");--> statement-breakpoint
CREATE INDEX "generations_by_project" ON "generations" USING btree ("owner","project_id","created_at_ms");--> statement-breakpoint
CREATE INDEX "generations_by_end" ON "generations" USING btree ("is_over","created_at_ms");--> statement-breakpoint
CREATE UNIQUE INDEX "generations_by_key" ON "generations" USING btree ("owner","idempotency_key");--> statement-breakpoint
CREATE INDEX "script_templates_by_type" ON "script_templates" USING btree ("owner","script_type");