-- Whom organizations erased while files waited to be imported: a row of an older file must not bring the person back.
-- Addresses are keyed hashes, as in identities, and go with the last file that is older.
CREATE TABLE IF NOT EXISTS erased_meanwhile (
    organization_id bigint NOT NULL,
    key uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key)
);

CREATE OR REPLACE FUNCTION forget_erased_meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM erased_meanwhile WHERE NOT EXISTS (SELECT FROM import_uploads WHERE created_at <= erased_at);
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER import_uploads_deleted AFTER DELETE ON import_uploads
FOR EACH STATEMENT EXECUTE FUNCTION forget_erased_meanwhile();

-- Destroy a key, and what could still speak of the contact; organization 0 is the contact's own key and its identity.
-- Of an identity that was suppressed a hash stays: kept is 1 for a hard bounce, 2 for a complaint, 3 for both.
CREATE OR REPLACE FUNCTION log_forget(contact bigint, organization bigint, kept integer) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO erased_meanwhile (organization_id, key, erased_at)
    SELECT organization, key, clock_timestamp() FROM identities
    WHERE organization <> 0 AND kind = 4 AND number = contact AND EXISTS (SELECT FROM import_uploads)
    ON CONFLICT (organization_id, key) DO UPDATE SET erased_at = excluded.erased_at;
    INSERT INTO suppression_hashes AS s (key, hard_bounced, complained)
    SELECT key, kept & 1 <> 0, kept & 2 <> 0 FROM identities
    WHERE organization = 0 AND kept <> 0 AND kind = 4 AND number = contact
    ON CONFLICT (key) DO UPDATE
    SET hard_bounced = s.hard_bounced OR excluded.hard_bounced, complained = s.complained OR excluded.complained;
    UPDATE waiting_feedback SET named = array_remove(named, i.key) FROM identities i
    WHERE organization = 0 AND i.kind = 4 AND i.number = contact AND named @> ARRAY[i.key];
    DELETE FROM keyring WHERE contact_id = contact AND organization_id = organization;
    DELETE FROM identities WHERE organization = 0 AND kind = 4 AND number = contact;
    DELETE FROM snapshots WHERE originator_id = stream_id(4, contact);
    DELETE FROM idempotency WHERE contact_id = contact;
$$;
