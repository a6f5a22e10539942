-- What SES told of mail that the log does not know yet, sealed: matched when the message appears, given up after days.
CREATE TABLE IF NOT EXISTS waiting_feedback (
    event_id uuid PRIMARY KEY,
    stream uuid,
    sealed bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    given_up_at timestamptz
);
CREATE INDEX IF NOT EXISTS waiting_feedback_stream ON waiting_feedback (stream) WHERE given_up_at IS NULL;
CREATE INDEX IF NOT EXISTS waiting_feedback_received_at ON waiting_feedback (received_at);
