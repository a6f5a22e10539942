-- What the engine keeps beside the read models. All of it can be made anew from the log.

-- How far a projection has come on each partition of the log: everything at or below the position is in its rows.
-- "partitions" says into how many the log was divided when the position was written; a batch of another division is
-- refused. A direct feed divides the log into one.
CREATE TABLE IF NOT EXISTS checkpoints (
    projection text NOT NULL,
    partition integer NOT NULL,
    partitions integer NOT NULL CHECK (partition BETWEEN 0 AND partitions - 1),
    position bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    parked_position bigint,
    parked_error text,
    PRIMARY KEY (projection, partition)
) WITH (fillfactor = 50);

-- Which version of each read model the live tables hold, and which tables these are. The projector folds into no other
-- version than its own.
CREATE TABLE IF NOT EXISTS read_models (
    name text PRIMARY KEY,
    version integer NOT NULL
);
ALTER TABLE read_models ADD COLUMN IF NOT EXISTS tables text[] NOT NULL DEFAULT '{}';

-- What is being built for each read model beside the live tables, or was last. "asked" is what an operator asked for and
-- nobody has ended yet. The new tables are filled as of "as_of"; once that is done, everything up to "reached" is in
-- them. "done" of "events" are behind the stage.
CREATE TABLE IF NOT EXISTS rebuilds (
    projection text PRIMARY KEY,
    asked text,
    purpose text NOT NULL,
    stage text NOT NULL,
    version integer NOT NULL DEFAULT 0,
    shape text NOT NULL DEFAULT '',
    as_of bigint NOT NULL DEFAULT 0,
    reached bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    done bigint NOT NULL DEFAULT 0,
    began_at timestamptz NOT NULL DEFAULT now(),
    stage_began_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    error text,
    outcome jsonb
);

-- One row while the log goes through Kafka, none while consumers follow it directly. Everything up to the position was
-- published. Messages of another generation are of a division, or of a log, that is no more.
CREATE TABLE IF NOT EXISTS relay (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    generation uuid NOT NULL DEFAULT gen_random_uuid(),
    partitions integer NOT NULL,
    position bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);

-- The position of the event published last on each partition, written with relay.position.
CREATE TABLE IF NOT EXISTS relay_partitions (
    partition integer PRIMARY KEY,
    position bigint NOT NULL
) WITH (fillfactor = 50);
