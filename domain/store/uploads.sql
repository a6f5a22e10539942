-- Files that wait to be imported, sealed block by block under a key of their own. Both are gone when the import ends.
CREATE TABLE IF NOT EXISTS import_uploads (
    upload uuid PRIMARY KEY,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
-- Where the file is still to be fetched from, sealed like the file: the address may let anybody in who has it.
ALTER TABLE import_uploads ADD COLUMN IF NOT EXISTS source bytea;
CREATE TABLE IF NOT EXISTS import_files (
    upload uuid NOT NULL REFERENCES import_uploads ON DELETE CASCADE,
    place integer NOT NULL,
    sealed bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (upload, place)
);
