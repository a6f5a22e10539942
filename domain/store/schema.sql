-- The log and what it stands on. Everything here is the truth; all other tables can be rebuilt from it.

-- One row per event. Positions (notification_id) are gapless and in commit order: they are given under the log lock.
CREATE TABLE IF NOT EXISTS log (
    originator_id uuid NOT NULL,
    originator_version bigint NOT NULL,
    topic text NOT NULL,
    state bytea NOT NULL,
    notification_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id bigint,
    source text NOT NULL,
    PRIMARY KEY (originator_id, originator_version)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
CREATE UNIQUE INDEX IF NOT EXISTS log_position ON log (notification_id);

-- The key that wraps all others and hashes natural keys, itself wrapped by the master key.
CREATE TABLE IF NOT EXISTS root_key (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Natural keys as keyed hashes, and the number that each one claimed. A contact's own key lives and dies with its row.
CREATE TABLE IF NOT EXISTS identities (
    kind integer NOT NULL,
    key uuid NOT NULL,
    number bigint NOT NULL,
    wrapped_key bytea,
    PRIMARY KEY (kind, key)
);
CREATE UNIQUE INDEX IF NOT EXISTS identities_number ON identities (kind, number);

-- The key of one contact for one organization, made on first need.
CREATE TABLE IF NOT EXISTS keyring (
    contact_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    wrapped_key bytea NOT NULL,
    PRIMARY KEY (contact_id, organization_id)
);

-- What outlives an erased contact: that mail to its address bounced for good or was reported as spam, under the key
-- that the identity had. An address that is registered again is suppressed from the start.
CREATE TABLE IF NOT EXISTS suppression_hashes (
    key uuid PRIMARY KEY,
    hard_bounced boolean NOT NULL,
    complained boolean NOT NULL
);

-- The latest state of long streams, so that a hot stream costs no more to load than a short one.
CREATE TABLE IF NOT EXISTS snapshots (
    originator_id uuid PRIMARY KEY,
    originator_version bigint NOT NULL,
    shape integer NOT NULL,
    state bytea NOT NULL
);

-- First answers to requests with an Idempotency-Key, kept for 24 hours, sealed under a key that the request makes.
CREATE TABLE IF NOT EXISTS idempotency (
    client_id bigint NOT NULL,
    key uuid NOT NULL,
    request uuid NOT NULL,
    status smallint NOT NULL,
    body bytea NOT NULL,
    position bigint NOT NULL,
    contact_id bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, key)
);
CREATE INDEX IF NOT EXISTS idempotency_created_at ON idempotency (created_at);

CREATE TABLE IF NOT EXISTS api_key_usage (
    public_id text PRIMARY KEY,
    last_used_at timestamptz NOT NULL
);

DO $numbers$
BEGIN
    FOR kind IN 1..16 LOOP
        EXECUTE format('CREATE SEQUENCE IF NOT EXISTS number_%s', kind);
    END LOOP;
END
$numbers$;

-- kind << 96 | number, as the stream's id.
CREATE OR REPLACE FUNCTION stream_id(kind integer, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (lpad(to_hex(kind), 8, '0') || lpad(to_hex(number), 24, '0'))::uuid;

-- Take claims and the log lock, in this order; say where the log ends and which streams must be decided anew.
-- Claims come sorted, so that two writers cannot wait for each other; nobody claims while holding the log lock.
CREATE OR REPLACE FUNCTION log_claim(
    claim_kinds integer[], claim_keys uuid[], claim_numbers bigint[], claim_wrapped bytea[],
    key_streams uuid[], key_contacts bigint[], key_organizations bigint[], key_wrapped bytea[],
    head_streams uuid[], head_versions bigint[],
    OUT head bigint, OUT lost uuid[]
) LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
    raced uuid[];
BEGIN
    lost := '{}';
    IF cardinality(claim_kinds) > 0 THEN
        INSERT INTO identities (kind, key, number, wrapped_key)
        SELECT kind, key, number, wrapped
        FROM unnest(claim_kinds, claim_keys, claim_numbers, claim_wrapped) AS c (kind, key, number, wrapped)
        ORDER BY kind, key
        ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken < cardinality(claim_kinds) THEN
            SELECT array_agg(stream_id(c.kind, c.number)) INTO lost
            FROM unnest(claim_kinds, claim_keys, claim_numbers) AS c (kind, key, number)
            WHERE NOT EXISTS (
                SELECT FROM identities i WHERE i.kind = c.kind AND i.key = c.key AND i.number = c.number);
        END IF;
    END IF;
    IF cardinality(key_contacts) > 0 THEN
        INSERT INTO keyring (contact_id, organization_id, wrapped_key)
        SELECT contact, organization, wrapped
        FROM unnest(key_streams, key_contacts, key_organizations, key_wrapped)
            AS c (stream, contact, organization, wrapped)
        WHERE stream <> ALL (lost)
        ORDER BY contact, organization
        ON CONFLICT DO NOTHING;
        SELECT lost || coalesce(array_agg(c.stream), '{}') INTO lost
        FROM unnest(key_streams, key_contacts, key_organizations, key_wrapped)
            AS c (stream, contact, organization, wrapped)
        WHERE NOT EXISTS (
            SELECT FROM keyring k WHERE k.contact_id = c.contact AND k.organization_id = c.organization
            AND k.wrapped_key = c.wrapped);
    END IF;
    PERFORM pg_advisory_xact_lock(4815162342);
    SELECT coalesce(array_agg(h.stream), '{}') INTO raced
    FROM unnest(head_streams, head_versions) AS h (stream, version)
    WHERE EXISTS (
        SELECT FROM log WHERE originator_id = h.stream AND originator_version = h.version + 1);
    lost := lost || raced;
    SELECT coalesce(max(notification_id), 0) INTO head FROM log;
END
$$;

-- The one ordered append, in one round trip. Streams that lost a race are left out, and named.
CREATE OR REPLACE FUNCTION log_append(
    claim_kinds integer[], claim_keys uuid[], claim_numbers bigint[], claim_wrapped bytea[],
    key_streams uuid[], key_contacts bigint[], key_organizations bigint[], key_wrapped bytea[],
    head_streams uuid[], head_versions bigint[],
    streams uuid[], versions bigint[], topics text[], states bytea[], organizations bigint[], clients bigint[],
    contacts bigint[], times timestamptz[], correlations uuid[], causations bigint[], sources text[],
    answer_streams uuid[], answer_clients bigint[], answer_keys uuid[], answer_requests uuid[],
    answer_statuses integer[], answer_bodies bytea[], answer_contacts bigint[],
    forget_contacts bigint[], forget_organizations bigint[], forget_kept integer[],
    OUT head bigint, OUT lost uuid[]
) LANGUAGE plpgsql AS $$
DECLARE
    base bigint;
    appended bigint;
    answered uuid[];
BEGIN
    SELECT c.head, c.lost INTO base, lost FROM log_claim(
        claim_kinds, claim_keys, claim_numbers, claim_wrapped,
        key_streams, key_contacts, key_organizations, key_wrapped, head_streams, head_versions) c;
    IF cardinality(answer_keys) > 0 THEN
        SELECT coalesce(array_agg(a.stream), '{}') INTO answered
        FROM unnest(answer_streams, answer_clients, answer_keys) AS a (stream, client, key)
        JOIN idempotency i ON i.client_id = a.client AND i.key = a.key
        WHERE i.created_at > now() - interval '24 hours';
        lost := lost || answered;
    END IF;
    INSERT INTO log (
        originator_id, originator_version, topic, state, notification_id, organization_id, client_id, contact_id,
        occurred_at, correlation_id, causation_id, source)
    SELECT e.stream, e.version, e.topic, e.state, base + row_number() OVER (ORDER BY e.place), e.organization, e.client,
        e.contact, e.at, e.correlation, e.causation, e.source
    FROM unnest(streams, versions, topics, states, organizations, clients, contacts, times, correlations, causations,
        sources) WITH ORDINALITY AS e (
        stream, version, topic, state, organization, client, contact, at, correlation, causation, source, place)
    WHERE e.stream <> ALL (lost)
    ORDER BY e.place;
    GET DIAGNOSTICS appended = ROW_COUNT;
    head := base + appended;
    IF cardinality(answer_keys) > 0 THEN
        INSERT INTO idempotency (client_id, key, request, status, body, position, contact_id)
        SELECT a.client, a.key, a.request, a.status, a.body, head, a.contact
        FROM unnest(answer_streams, answer_clients, answer_keys, answer_requests, answer_statuses, answer_bodies,
            answer_contacts) AS a (stream, client, key, request, status, body, contact)
        WHERE a.stream <> ALL (lost)
        ON CONFLICT (client_id, key) DO UPDATE
        SET request = excluded.request, status = excluded.status, body = excluded.body,
            position = excluded.position, contact_id = excluded.contact_id, created_at = excluded.created_at
        WHERE idempotency.created_at <= now() - interval '24 hours';
    END IF;
    IF cardinality(forget_contacts) > 0 THEN
        PERFORM log_forget(f.contact, f.organization, f.kept)
        FROM unnest(forget_contacts, forget_organizations, forget_kept) AS f (contact, organization, kept)
        WHERE stream_id(4, f.contact) <> ALL (lost);
    END IF;
    PERFORM log_notify(head, appended > 0, streams);
END
$$;

-- Wake the followers of the log, and of the directory when a tenancy stream (kinds 1 to 3) was written.
CREATE OR REPLACE FUNCTION log_notify(head bigint, appended boolean, streams uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF appended THEN
        PERFORM pg_notify('datamailer_log', head::text);
        IF EXISTS (SELECT FROM unnest(streams) s WHERE s < stream_id(4, 0)) THEN
            PERFORM pg_notify('datamailer_directory', head::text);
        END IF;
    END IF;
END
$$;
