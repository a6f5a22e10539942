-- What analysts read: views over the read models, without addresses and without anybody's words. Each view and each
-- column says what it is: \d+ in psql, or the comments in any catalog tool.

CREATE SCHEMA IF NOT EXISTS analytics;

CREATE OR REPLACE VIEW analytics.freshness AS
SELECT projection, min(position) AS position, max(updated_at) AS updated_at
FROM public.checkpoints
GROUP BY projection;
COMMENT ON VIEW analytics.freshness IS
    'How current the other views are: one row for each read model behind them.';
COMMENT ON COLUMN analytics.freshness.projection IS 'The read model.';
COMMENT ON COLUMN analytics.freshness.position IS 'The log position up to which every event is in it, at least.';
COMMENT ON COLUMN analytics.freshness.updated_at IS 'When it last took events in.';

CREATE OR REPLACE VIEW analytics.organizations AS
SELECT organization_id, slug, name, created_at
FROM public.organizations;
COMMENT ON VIEW analytics.organizations IS 'The owners of audiences and clients.';
COMMENT ON COLUMN analytics.organizations.organization_id IS 'Its number.';
COMMENT ON COLUMN analytics.organizations.slug IS 'What it is called in requests, for good.';
COMMENT ON COLUMN analytics.organizations.name IS 'How it is displayed.';
COMMENT ON COLUMN analytics.organizations.created_at IS 'When it was made.';

CREATE OR REPLACE VIEW analytics.audiences AS
SELECT a.audience_id, a.organization_id, o.slug AS organization, a.slug, a.name, a.created_at
FROM public.audiences a
LEFT JOIN public.organizations o USING (organization_id);
COMMENT ON VIEW analytics.audiences IS 'Mailing lists, shared by the clients of an organization.';
COMMENT ON COLUMN analytics.audiences.audience_id IS 'Its number.';
COMMENT ON COLUMN analytics.audiences.organization_id IS 'Number of its organization.';
COMMENT ON COLUMN analytics.audiences.organization IS 'Slug of its organization.';
COMMENT ON COLUMN analytics.audiences.slug IS 'What it is called in requests, unique in its organization.';
COMMENT ON COLUMN analytics.audiences.name IS 'How it is displayed.';
COMMENT ON COLUMN analytics.audiences.created_at IS 'When it was made.';

CREATE OR REPLACE VIEW analytics.clients AS
SELECT c.client_id, c.organization_id, o.slug AS organization, c.slug, c.name, c.active, c.created_at
FROM public.clients c
LEFT JOIN public.organizations o USING (organization_id);
COMMENT ON VIEW analytics.clients IS 'Applications that call the API.';
COMMENT ON COLUMN analytics.clients.client_id IS 'Its number.';
COMMENT ON COLUMN analytics.clients.organization_id IS 'Number of its organization.';
COMMENT ON COLUMN analytics.clients.organization IS 'Slug of its organization.';
COMMENT ON COLUMN analytics.clients.slug IS 'What it is called in requests, unique in its organization.';
COMMENT ON COLUMN analytics.clients.name IS 'How it is displayed.';
COMMENT ON COLUMN analytics.clients.active IS 'Whether it may call.';
COMMENT ON COLUMN analytics.clients.created_at IS 'When it was made.';

CREATE OR REPLACE VIEW analytics.contacts AS
SELECT DISTINCT ON (contact_id)
    contact_id, split_part(email, '@', -1) AS email_domain, created_at, globally_verified_at AS verified_at,
    validation_status, validated_at, global_unsubscribed, hard_bounced, complained
FROM public.contacts
ORDER BY contact_id, audience_id, client_id;
COMMENT ON VIEW analytics.contacts IS
    'One row for each person, whatever they subscribed to. Erased ones are gone.';
COMMENT ON COLUMN analytics.contacts.contact_id IS 'The number by which the API names the contact.';
COMMENT ON COLUMN analytics.contacts.email_domain IS
    'The address after its @. Personal where somebody has a domain of their own.';
COMMENT ON COLUMN analytics.contacts.created_at IS 'When the address first became known.';
COMMENT ON COLUMN analytics.contacts.verified_at IS 'When the address was proved to everybody; empty when it was not.';
COMMENT ON COLUMN analytics.contacts.validation_status IS
    'Whether the address can be written to: unknown, valid, invalid_syntax, no_mx, disposable, risky, manually_invalid or externally_validated.';
COMMENT ON COLUMN analytics.contacts.validated_at IS 'When that was judged; empty while it is unknown.';
COMMENT ON COLUMN analytics.contacts.global_unsubscribed IS 'Whether the contact wants no marketing mail at all.';
COMMENT ON COLUMN analytics.contacts.hard_bounced IS 'Whether mail to the address bounced for good.';
COMMENT ON COLUMN analytics.contacts.complained IS 'Whether the contact reported mail as spam.';

CREATE OR REPLACE VIEW analytics.subscriptions AS
SELECT
    s.contact_id, s.organization_id, s.audience_id, a.slug AS audience, nullif(s.client_id, 0) AS client_id,
    c.slug AS client, s.status, coalesce(s.verified_at, s.globally_verified_at) AS verified_at, s.unsubscribed_at,
    s.tags, s.updated_at
FROM public.contacts s
LEFT JOIN public.audiences a USING (audience_id)
LEFT JOIN public.clients c USING (client_id)
WHERE s.status IS NOT NULL;
COMMENT ON VIEW analytics.subscriptions IS
    'One row for each relation of a contact with an audience: through a client, or with the audience as a whole.';
COMMENT ON COLUMN analytics.subscriptions.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.subscriptions.organization_id IS 'Number of the organization whose audience it is.';
COMMENT ON COLUMN analytics.subscriptions.audience_id IS 'Number of the audience.';
COMMENT ON COLUMN analytics.subscriptions.audience IS 'Slug of the audience.';
COMMENT ON COLUMN analytics.subscriptions.client_id IS 'Number of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscriptions.client IS 'Slug of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscriptions.status IS 'pending, subscribed or unsubscribed.';
COMMENT ON COLUMN analytics.subscriptions.verified_at IS
    'When the address was proved in this scope, else to everybody; empty when it was not.';
COMMENT ON COLUMN analytics.subscriptions.unsubscribed_at IS 'When the contact left; empty unless it has.';
COMMENT ON COLUMN analytics.subscriptions.tags IS 'Slugs of the contact''s tags in the audience, sorted.';
COMMENT ON COLUMN analytics.subscriptions.updated_at IS
    'When something of the contact last changed that shows in this scope.';

CREATE OR REPLACE VIEW analytics.subscription_totals AS
SELECT
    organization_id, audience_id, audience, client_id, client,
    count(*) AS contacts,
    count(*) FILTER (WHERE status = 'subscribed') AS subscribed,
    count(*) FILTER (WHERE status = 'pending') AS pending,
    count(*) FILTER (WHERE status = 'unsubscribed') AS unsubscribed,
    count(verified_at) AS verified
FROM analytics.subscriptions
GROUP BY organization_id, audience_id, audience, client_id, client;
COMMENT ON VIEW analytics.subscription_totals IS 'How many contacts each audience has through each client.';
COMMENT ON COLUMN analytics.subscription_totals.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.subscription_totals.audience_id IS 'Number of the audience.';
COMMENT ON COLUMN analytics.subscription_totals.audience IS 'Slug of the audience.';
COMMENT ON COLUMN analytics.subscription_totals.client_id IS 'Number of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscription_totals.client IS 'Slug of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscription_totals.contacts IS 'All of them, whatever the status.';
COMMENT ON COLUMN analytics.subscription_totals.subscribed IS 'Those that are subscribed.';
COMMENT ON COLUMN analytics.subscription_totals.pending IS 'Those that have not confirmed yet.';
COMMENT ON COLUMN analytics.subscription_totals.unsubscribed IS 'Those that left.';
COMMENT ON COLUMN analytics.subscription_totals.verified IS 'Those whose address is proved in this scope or to everybody.';

CREATE OR REPLACE VIEW analytics.subscription_tags AS
SELECT s.contact_id, s.organization_id, s.audience_id, s.audience, s.client_id, s.client, t.tag
FROM analytics.subscriptions s
CROSS JOIN LATERAL unnest(s.tags) AS t (tag);
COMMENT ON VIEW analytics.subscription_tags IS 'One row for each tag of each subscription.';
COMMENT ON COLUMN analytics.subscription_tags.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.subscription_tags.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.subscription_tags.audience_id IS 'Number of the audience that the tag belongs to.';
COMMENT ON COLUMN analytics.subscription_tags.audience IS 'Slug of that audience.';
COMMENT ON COLUMN analytics.subscription_tags.client_id IS 'Number of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscription_tags.client IS 'Slug of the client; empty for the audience as a whole.';
COMMENT ON COLUMN analytics.subscription_tags.tag IS 'Slug of the tag.';

CREATE OR REPLACE VIEW analytics.category_choices AS
SELECT
    p.contact_id, c.organization_id, p.audience_id, a.slug AS audience, p.client_id, c.slug AS client, p.tag, p.label,
    p.enabled
FROM public.category_choices p
LEFT JOIN public.audiences a USING (audience_id)
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.category_choices IS
    'What contacts chose about mail of a category; one never chosen is accepted and has no row.';
COMMENT ON COLUMN analytics.category_choices.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.category_choices.organization_id IS 'Number of the client''s organization.';
COMMENT ON COLUMN analytics.category_choices.audience_id IS 'Number of the audience.';
COMMENT ON COLUMN analytics.category_choices.audience IS 'Slug of the audience.';
COMMENT ON COLUMN analytics.category_choices.client_id IS 'Number of the client whose mail it is.';
COMMENT ON COLUMN analytics.category_choices.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.category_choices.tag IS 'Slug of the category.';
COMMENT ON COLUMN analytics.category_choices.label IS 'How the category is displayed.';
COMMENT ON COLUMN analytics.category_choices.enabled IS 'Whether such mail is wanted.';

CREATE OR REPLACE VIEW analytics.import_jobs AS
SELECT
    j.import_id, j.organization_id, j.client_id, c.slug AS client, j.dry_run, j.status, j.total, j.created, j.updated,
    j.unchanged, j.skipped, j.invalid, j.created_at, j.started_at, j.progressed_at, j.finished_at, j.failure
FROM public.import_jobs j
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.import_jobs IS 'Files of contacts that were imported in the background.';
COMMENT ON COLUMN analytics.import_jobs.import_id IS 'The number by which the API names the job.';
COMMENT ON COLUMN analytics.import_jobs.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.import_jobs.client_id IS 'Number of the client whose file it is.';
COMMENT ON COLUMN analytics.import_jobs.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.import_jobs.dry_run IS 'Whether it only counts, and changes nothing.';
COMMENT ON COLUMN analytics.import_jobs.status IS 'queued, running, succeeded or failed.';
COMMENT ON COLUMN analytics.import_jobs.total IS 'Rows that are done. The next five add up to it.';
COMMENT ON COLUMN analytics.import_jobs.created IS 'Rows that made a subscription.';
COMMENT ON COLUMN analytics.import_jobs.updated IS 'Rows that changed one.';
COMMENT ON COLUMN analytics.import_jobs.unchanged IS 'Rows that said what was so already.';
COMMENT ON COLUMN analytics.import_jobs.skipped IS 'Rows whose address had come before in the file.';
COMMENT ON COLUMN analytics.import_jobs.invalid IS 'Rows that were refused.';
COMMENT ON COLUMN analytics.import_jobs.created_at IS 'When the file was handed in.';
COMMENT ON COLUMN analytics.import_jobs.started_at IS 'When its first rows were about to be carried out.';
COMMENT ON COLUMN analytics.import_jobs.progressed_at IS 'When the last rows so far were done.';
COMMENT ON COLUMN analytics.import_jobs.finished_at IS 'When it ended, well or badly.';
COMMENT ON COLUMN analytics.import_jobs.failure IS 'Why it failed, in one word; empty unless it did.';

-- The one role that reads them, and nothing else. It cannot log in: GRANT datamailer_analyst TO <a login of your own>.
DO $role$
BEGIN
    CREATE ROLE datamailer_analyst NOLOGIN;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN
        RAISE NOTICE 'have somebody who may create roles make datamailer_analyst NOLOGIN, then migrate again';
END
$role$;

DO $grants$
BEGIN
    IF to_regrole('datamailer_analyst') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA analytics TO datamailer_analyst;
        GRANT SELECT ON ALL TABLES IN SCHEMA analytics TO datamailer_analyst;
    END IF;
END
$grants$;
