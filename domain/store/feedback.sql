-- What SES told of mail that the log does not know yet: matched when it does, given up after days. Whom it names stands
-- here as keyed hashes, as in identities; of a contact that is erased for good they go.
CREATE TABLE IF NOT EXISTS waiting_feedback (
    event_id uuid PRIMARY KEY,
    stream uuid,
    sealed bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    given_up_at timestamptz
);
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT '';
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS ses_message_id text NOT NULL DEFAULT '';
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS named uuid[] NOT NULL DEFAULT '{}';
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS look_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS looks integer NOT NULL DEFAULT 0;
ALTER TABLE waiting_feedback ADD COLUMN IF NOT EXISTS error text NOT NULL DEFAULT '';
DROP INDEX IF EXISTS waiting_feedback_stream;
CREATE INDEX IF NOT EXISTS waiting_feedback_look_at ON waiting_feedback (look_at) WHERE given_up_at IS NULL;
CREATE INDEX IF NOT EXISTS waiting_feedback_received_at ON waiting_feedback (received_at);
CREATE INDEX IF NOT EXISTS waiting_feedback_named ON waiting_feedback USING gin (named);

-- SES's name of the mail in a message.sent@1: by it events are matched that bear no tag of ours. The names begin with
-- the time, so that new ones come at the index's end; split_part costs a quarter of a regular expression.
CREATE OR REPLACE FUNCTION ses_name(state bytea) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN split_part(split_part(encode(state, 'escape'), '"ses_message_id":"', 2), '"', 1);
CREATE INDEX IF NOT EXISTS log_ses_name ON log (ses_name(state)) WHERE topic = 'message.sent@1';
