-- Events on their way to webhooks. Unlike a read model this cannot be made again from the log, which does not say what
-- arrived. Nothing of an event is here but its position: what is sent is made from the log when it is sent.

-- One row for each webhook and event, until it is delivered or, given up ("dead_at"), dropped or forgotten.
-- "claimed_by" is the session that has it in hand; "error" says in a word or two what came of the last attempt.
CREATE TABLE IF NOT EXISTS webhook_deliveries (
    webhook_id bigint NOT NULL,
    position bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    next_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    claimed_by integer,
    error text,
    dead_at timestamptz,
    PRIMARY KEY (webhook_id, position)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX IF NOT EXISTS webhook_deliveries_next ON webhook_deliveries (webhook_id, next_at, position)
    WHERE dead_at IS NULL;
CREATE INDEX IF NOT EXISTS webhook_deliveries_made ON webhook_deliveries (made_at);
CREATE INDEX IF NOT EXISTS webhook_deliveries_dead ON webhook_deliveries (dead_at) WHERE dead_at IS NOT NULL;

-- How far events were handed out to webhooks: everything at or below the position has its rows, or had them.
CREATE TABLE IF NOT EXISTS webhook_progress (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    position bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
INSERT INTO webhook_progress DEFAULT VALUES ON CONFLICT DO NOTHING;
