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
    'Whether it can be written to: unknown, valid, invalid_syntax, no_mx, disposable, risky, manually_invalid or '
    'externally_validated.';
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
COMMENT ON COLUMN analytics.subscription_totals.verified IS
    'Those whose address is proved in this scope or to everybody.';

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
    j.unchanged, j.skipped, j.invalid, j.created_at, j.started_at, j.progressed_at, j.finished_at, j.failure, j.list_id,
    j.removed
FROM public.import_jobs j
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.import_jobs IS
    'Files of contacts, or of members of a recipient list, that were imported in the background.';
COMMENT ON COLUMN analytics.import_jobs.import_id IS 'The number by which the API names the job.';
COMMENT ON COLUMN analytics.import_jobs.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.import_jobs.client_id IS 'Number of the client whose file it is.';
COMMENT ON COLUMN analytics.import_jobs.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.import_jobs.dry_run IS 'Whether it only counts, and changes nothing.';
COMMENT ON COLUMN analytics.import_jobs.status IS 'queued, running, succeeded or failed.';
COMMENT ON COLUMN analytics.import_jobs.total IS 'Rows that are done. The next five add up to it.';
COMMENT ON COLUMN analytics.import_jobs.created IS 'Rows that made a subscription, or put a member on the list.';
COMMENT ON COLUMN analytics.import_jobs.updated IS 'Rows that changed one.';
COMMENT ON COLUMN analytics.import_jobs.unchanged IS 'Rows that said what was so already.';
COMMENT ON COLUMN analytics.import_jobs.skipped IS 'Rows whose address had come before in the file.';
COMMENT ON COLUMN analytics.import_jobs.invalid IS 'Rows that were refused.';
COMMENT ON COLUMN analytics.import_jobs.created_at IS 'When the file was handed in.';
COMMENT ON COLUMN analytics.import_jobs.started_at IS 'When its first rows were about to be carried out.';
COMMENT ON COLUMN analytics.import_jobs.progressed_at IS 'When the last rows so far were done.';
COMMENT ON COLUMN analytics.import_jobs.finished_at IS 'When it ended, well or badly.';
COMMENT ON COLUMN analytics.import_jobs.failure IS 'Why it failed, in one word; empty unless it did.';
COMMENT ON COLUMN analytics.import_jobs.list_id IS 'The list whose members the file names; 0: it names contacts.';
COMMENT ON COLUMN analytics.import_jobs.removed IS 'Members that were taken off, since the file does not name them.';

CREATE OR REPLACE VIEW analytics.campaigns AS
SELECT
    m.campaign_id, m.organization_id, m.client_id, c.slug AS client, m.audience_id, a.slug AS audience, m.external_key,
    m.subject, m.include_tags, m.exclude_tags, nullif(m.category_tag, '') AS category_tag,
    nullif(m.recipient_list_key, '') AS recipient_list_key, m.scheduled_at, m.status, m.snapshot_position,
    m.created_at, m.updated_at, m.queued_at, m.finished_at, nullif(m.last_error, '') AS last_error
FROM public.campaigns m
LEFT JOIN public.clients c USING (client_id)
LEFT JOIN public.audiences a USING (audience_id);
COMMENT ON VIEW analytics.campaigns IS
    'Campaigns, drafts included. What they say stands in the API.';
COMMENT ON COLUMN analytics.campaigns.campaign_id IS 'Its number.';
COMMENT ON COLUMN analytics.campaigns.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.campaigns.client_id IS 'Number of the client whose campaign it is.';
COMMENT ON COLUMN analytics.campaigns.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.campaigns.audience_id IS 'Number of the audience that it is for.';
COMMENT ON COLUMN analytics.campaigns.audience IS 'Slug of that audience.';
COMMENT ON COLUMN analytics.campaigns.external_key IS 'What the client calls it.';
COMMENT ON COLUMN analytics.campaigns.subject IS 'The subject line, as it is written.';
COMMENT ON COLUMN analytics.campaigns.include_tags IS 'Slugs of tags that a recipient must all have.';
COMMENT ON COLUMN analytics.campaigns.exclude_tags IS 'Slugs of tags that a recipient may not have.';
COMMENT ON COLUMN analytics.campaigns.category_tag IS 'Slug of the category of mail that it is; empty for none.';
COMMENT ON COLUMN analytics.campaigns.recipient_list_key IS
    'The recipient list that it goes to; empty for the audience.';
COMMENT ON COLUMN analytics.campaigns.scheduled_at IS 'When a draft queues itself; empty if it does not.';
COMMENT ON COLUMN analytics.campaigns.status IS
    'draft, queued, snapshotting, sending, paused, sent, cancelled or failed.';
COMMENT ON COLUMN analytics.campaigns.snapshot_position IS 'The log position as of which its recipients were taken.';
COMMENT ON COLUMN analytics.campaigns.created_at IS 'When it was first drafted.';
COMMENT ON COLUMN analytics.campaigns.updated_at IS 'When it last changed.';
COMMENT ON COLUMN analytics.campaigns.queued_at IS 'When it was queued.';
COMMENT ON COLUMN analytics.campaigns.finished_at IS 'When it was sent, cancelled, or failed.';
COMMENT ON COLUMN analytics.campaigns.last_error IS 'Why it failed, in one word.';

CREATE OR REPLACE VIEW analytics.campaign_totals AS
SELECT
    t.campaign_id, m.organization_id, m.client_id, m.external_key, t.recipient_count AS recipients,
    t.skipped_count AS skipped, t.sent_count AS sent, t.failed_count AS failed, t.delivered_count AS delivered,
    t.unique_open_count AS openers, t.open_count AS opens, t.unique_click_count AS clickers, t.click_count AS clicks,
    t.unsubscribe_count AS unsubscribed, t.bounce_count AS bounced, t.complaint_count AS complained
FROM public.campaign_counters t
LEFT JOIN public.campaigns m USING (campaign_id);
COMMENT ON VIEW analytics.campaign_totals IS
    'What became of each campaign''s mail, in numbers.';
COMMENT ON COLUMN analytics.campaign_totals.campaign_id IS 'The campaign.';
COMMENT ON COLUMN analytics.campaign_totals.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.campaign_totals.client_id IS 'Number of the client.';
COMMENT ON COLUMN analytics.campaign_totals.external_key IS 'What the client calls the campaign.';
COMMENT ON COLUMN analytics.campaign_totals.recipients IS 'Contacts that were meant and not skipped.';
COMMENT ON COLUMN analytics.campaign_totals.skipped IS 'Contacts that were meant and skipped.';
COMMENT ON COLUMN analytics.campaign_totals.sent IS 'Recipients whose mail SES took.';
COMMENT ON COLUMN analytics.campaign_totals.failed IS 'Recipients whose mail could not be sent.';
COMMENT ON COLUMN analytics.campaign_totals.delivered IS 'Recipients whose mailbox took it.';
COMMENT ON COLUMN analytics.campaign_totals.openers IS 'Recipients that opened it.';
COMMENT ON COLUMN analytics.campaign_totals.opens IS 'Times that it was opened.';
COMMENT ON COLUMN analytics.campaign_totals.clickers IS 'Recipients that followed a link in it.';
COMMENT ON COLUMN analytics.campaign_totals.clicks IS 'Times that a link was followed.';
COMMENT ON COLUMN analytics.campaign_totals.unsubscribed IS 'Recipients that left by a link in it.';
COMMENT ON COLUMN analytics.campaign_totals.bounced IS 'Recipients whose mail came back.';
COMMENT ON COLUMN analytics.campaign_totals.complained IS 'Recipients that reported it as spam.';

CREATE OR REPLACE VIEW analytics.campaign_recipients AS
SELECT
    campaign_id, contact_id, organization_id, client_id, status, skip_reason, nullif(last_error, '') AS last_error,
    requested_at, sent_at, delivered_at, bounced_at, complained_at, first_opened_at, first_clicked_at, unsubscribed_at,
    open_count, click_count
FROM public.campaign_recipients;
COMMENT ON VIEW analytics.campaign_recipients IS
    'What became of each campaign''s mail to each contact that was meant, skipped ones included.';
COMMENT ON COLUMN analytics.campaign_recipients.campaign_id IS 'The campaign.';
COMMENT ON COLUMN analytics.campaign_recipients.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.campaign_recipients.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.campaign_recipients.client_id IS 'Number of the client.';
COMMENT ON COLUMN analytics.campaign_recipients.status IS 'queued, sending, unconfirmed, sent, failed or skipped.';
COMMENT ON COLUMN analytics.campaign_recipients.skip_reason IS 'Why it was skipped; empty unless it was.';
COMMENT ON COLUMN analytics.campaign_recipients.last_error IS 'Why it could not be sent, in one word.';
COMMENT ON COLUMN analytics.campaign_recipients.requested_at IS 'When the contact was chosen.';
COMMENT ON COLUMN analytics.campaign_recipients.sent_at IS 'When SES took the mail.';
COMMENT ON COLUMN analytics.campaign_recipients.delivered_at IS 'When the mailbox took it.';
COMMENT ON COLUMN analytics.campaign_recipients.bounced_at IS 'When it first came back.';
COMMENT ON COLUMN analytics.campaign_recipients.complained_at IS 'When it was reported as spam.';
COMMENT ON COLUMN analytics.campaign_recipients.first_opened_at IS 'When it was first opened.';
COMMENT ON COLUMN analytics.campaign_recipients.first_clicked_at IS 'When a link in it was first followed.';
COMMENT ON COLUMN analytics.campaign_recipients.unsubscribed_at IS 'When the contact left by a link in it.';
COMMENT ON COLUMN analytics.campaign_recipients.open_count IS 'How often it was opened.';
COMMENT ON COLUMN analytics.campaign_recipients.click_count IS 'How often a link in it was followed.';

CREATE OR REPLACE VIEW analytics.campaign_activity AS
SELECT campaign_id, hour, sends, opens, clicks
FROM public.campaign_activity;
COMMENT ON VIEW analytics.campaign_activity IS
    'What happened to each campaign''s mail in each hour.';
COMMENT ON COLUMN analytics.campaign_activity.campaign_id IS 'The campaign.';
COMMENT ON COLUMN analytics.campaign_activity.hour IS 'The beginning of the hour.';
COMMENT ON COLUMN analytics.campaign_activity.sends IS 'Mail that SES took.';
COMMENT ON COLUMN analytics.campaign_activity.opens IS 'Times that mail was opened.';
COMMENT ON COLUMN analytics.campaign_activity.clicks IS 'Times that a link was followed.';

CREATE OR REPLACE VIEW analytics.campaign_links AS
SELECT l.campaign_id, nullif(l.link, -1) AS link, m.links[l.link + 1] AS url, l.clicks
FROM public.campaign_links l
LEFT JOIN public.campaigns m USING (campaign_id);
COMMENT ON VIEW analytics.campaign_links IS
    'How often each link of a campaign''s mail was followed; one never followed has no row.';
COMMENT ON COLUMN analytics.campaign_links.campaign_id IS 'The campaign.';
COMMENT ON COLUMN analytics.campaign_links.link IS
    'Its number in the mail, from 0; empty for clicks of which it is not known.';
COMMENT ON COLUMN analytics.campaign_links.url IS 'Where it leads.';
COMMENT ON COLUMN analytics.campaign_links.clicks IS 'Times that it was followed.';

CREATE OR REPLACE VIEW analytics.messages AS
SELECT
    m.message_id, m.organization_id, m.client_id, c.slug AS client, m.contact_id,
    nullif(m.campaign_id, 0) AS campaign_id, m.template_key, m.template_version,
    nullif(m.category_tag, '') AS category_tag, m.sender_id, m.status, m.skip_reason,
    nullif(m.last_error, '') AS last_error, m.requested_at, m.sent_at, m.delivered_at, m.bounced_at, m.complained_at,
    m.first_opened_at, m.first_clicked_at, m.unsubscribed_at, m.open_count, m.click_count
FROM public.messages m
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.messages IS
    'Transactional mail, without what it says.';
COMMENT ON COLUMN analytics.messages.message_id IS 'The number by which the API names it.';
COMMENT ON COLUMN analytics.messages.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.messages.client_id IS 'Number of the client that sent it.';
COMMENT ON COLUMN analytics.messages.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.messages.contact_id IS 'The contact that it went to.';
COMMENT ON COLUMN analytics.messages.campaign_id IS 'The campaign that it tried out; empty for none.';
COMMENT ON COLUMN analytics.messages.template_key IS 'The template that it was made from.';
COMMENT ON COLUMN analytics.messages.template_version IS 'Which version of the template.';
COMMENT ON COLUMN analytics.messages.category_tag IS 'Slug of the category of mail that it is; empty for none.';
COMMENT ON COLUMN analytics.messages.sender_id IS 'Which of the client''s senders it came from.';
COMMENT ON COLUMN analytics.messages.status IS 'queued, sending, unconfirmed, sent, failed or skipped.';
COMMENT ON COLUMN analytics.messages.skip_reason IS 'Why it was skipped; empty unless it was.';
COMMENT ON COLUMN analytics.messages.last_error IS 'Why it could not be sent, in one word.';
COMMENT ON COLUMN analytics.messages.requested_at IS 'When it was asked for.';
COMMENT ON COLUMN analytics.messages.sent_at IS 'When SES took it.';
COMMENT ON COLUMN analytics.messages.delivered_at IS 'When the mailbox took it.';
COMMENT ON COLUMN analytics.messages.bounced_at IS 'When it first came back.';
COMMENT ON COLUMN analytics.messages.complained_at IS 'When it was reported as spam.';
COMMENT ON COLUMN analytics.messages.first_opened_at IS 'When it was first opened.';
COMMENT ON COLUMN analytics.messages.first_clicked_at IS 'When a link in it was first followed.';
COMMENT ON COLUMN analytics.messages.unsubscribed_at IS 'When the contact left by a link in it.';
COMMENT ON COLUMN analytics.messages.open_count IS 'How often it was opened.';
COMMENT ON COLUMN analytics.messages.click_count IS 'How often a link in it was followed.';

CREATE OR REPLACE VIEW analytics.templates AS
SELECT
    t.template_id, t.organization_id, t.client_id, c.slug AS client, t.key, t.name, t.is_active, t.version,
    t.created_at, t.updated_at
FROM public.templates t
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.templates IS
    'Templates of transactional mail, without what they say.';
COMMENT ON COLUMN analytics.templates.template_id IS 'Its number.';
COMMENT ON COLUMN analytics.templates.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.templates.client_id IS 'Number of the client whose template it is.';
COMMENT ON COLUMN analytics.templates.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.templates.key IS 'What requests call it.';
COMMENT ON COLUMN analytics.templates.name IS 'How it is displayed.';
COMMENT ON COLUMN analytics.templates.is_active IS 'Whether mail can be made from it.';
COMMENT ON COLUMN analytics.templates.version IS 'How often what it says was written.';
COMMENT ON COLUMN analytics.templates.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.templates.updated_at IS 'When it last changed.';

CREATE OR REPLACE VIEW analytics.contact_timeline AS
SELECT
    contact_id, position, at, organization_id, nullif(audience_id, 0) AS audience_id, nullif(client_id, 0) AS client_id,
    campaign_id, message_id, type, source
FROM public.contact_timeline;
COMMENT ON VIEW analytics.contact_timeline IS
    'What happened to each contact, event by event, the log''s words for it.';
COMMENT ON COLUMN analytics.contact_timeline.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.contact_timeline.position IS 'Position of the event in the log.';
COMMENT ON COLUMN analytics.contact_timeline.at IS 'When it happened.';
COMMENT ON COLUMN analytics.contact_timeline.organization_id IS
    'Number of the organization in whose name it was recorded.';
COMMENT ON COLUMN analytics.contact_timeline.audience_id IS 'Number of the audience that it is about; empty for none.';
COMMENT ON COLUMN analytics.contact_timeline.client_id IS 'Number of the client that it is about; empty for none.';
COMMENT ON COLUMN analytics.contact_timeline.campaign_id IS 'The campaign whose mail it is about; empty for none.';
COMMENT ON COLUMN analytics.contact_timeline.message_id IS
    'The transactional message that it is about; empty for none.';
COMMENT ON COLUMN analytics.contact_timeline.type IS 'What happened, such as contact.subscribed.';
COMMENT ON COLUMN analytics.contact_timeline.source IS
    'Where it came from: api, import, person, operator, ses and others.';

CREATE OR REPLACE VIEW analytics.recipient_lists AS
SELECT
    l.list_id, l.organization_id, l.client_id, c.slug AS client, l.key, l.name, l.description, l.created_at,
    l.updated_at
FROM public.recipient_lists l
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.recipient_lists IS
    'Lists of recipients that clients keep; who is on one is on each list around it.';
COMMENT ON COLUMN analytics.recipient_lists.list_id IS 'Its number.';
COMMENT ON COLUMN analytics.recipient_lists.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.recipient_lists.client_id IS 'Number of the client whose list it is.';
COMMENT ON COLUMN analytics.recipient_lists.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.recipient_lists.key IS 'Its path: a:b lies within a, and a within <all>.';
COMMENT ON COLUMN analytics.recipient_lists.name IS 'How it is displayed.';
COMMENT ON COLUMN analytics.recipient_lists.description IS 'What it is for.';
COMMENT ON COLUMN analytics.recipient_lists.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.recipient_lists.updated_at IS 'When it was last described.';

CREATE OR REPLACE VIEW analytics.list_sends AS
SELECT
    s.send_id, s.organization_id, s.client_id, c.slug AS client, s.list_key, s.template_key, s.status, s.total,
    s.enqueued, s.skipped, s.replayed, s.failed, s.requested_at, s.finished_at
FROM public.list_sends s
LEFT JOIN public.clients c USING (client_id);
COMMENT ON VIEW analytics.list_sends IS 'Sends to recipient lists that are too long for one request.';
COMMENT ON COLUMN analytics.list_sends.send_id IS 'The number by which the API names the send.';
COMMENT ON COLUMN analytics.list_sends.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.list_sends.client_id IS 'Number of the client whose list it is.';
COMMENT ON COLUMN analytics.list_sends.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.list_sends.list_key IS 'The list; those within it are sent to as well.';
COMMENT ON COLUMN analytics.list_sends.template_key IS 'Key of the template.';
COMMENT ON COLUMN analytics.list_sends.status IS 'running or finished.';
COMMENT ON COLUMN analytics.list_sends.total IS 'Members when it was requested.';
COMMENT ON COLUMN analytics.list_sends.enqueued IS 'Members that a mail was queued for.';
COMMENT ON COLUMN analytics.list_sends.skipped IS 'Members that may not get it.';
COMMENT ON COLUMN analytics.list_sends.replayed IS 'Members that got it by an earlier send under the same key.';
COMMENT ON COLUMN analytics.list_sends.failed IS 'Members that no mail could be made for.';
COMMENT ON COLUMN analytics.list_sends.requested_at IS 'When it was requested.';
COMMENT ON COLUMN analytics.list_sends.finished_at IS 'When its last member was done.';

CREATE OR REPLACE VIEW analytics.webhooks AS
SELECT
    w.webhook_id, w.organization_id, w.client_id, c.slug AS client, w.key, w.types, w.off, w.created_at, w.updated_at
FROM public.webhooks w
LEFT JOIN public.clients c USING (client_id)
WHERE NOT w.deleted;
COMMENT ON VIEW analytics.webhooks IS 'Where clients have their events delivered, without the URLs.';
COMMENT ON COLUMN analytics.webhooks.webhook_id IS 'Its number.';
COMMENT ON COLUMN analytics.webhooks.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.webhooks.client_id IS 'Number of the client whose events they are.';
COMMENT ON COLUMN analytics.webhooks.client IS 'Slug of that client.';
COMMENT ON COLUMN analytics.webhooks.key IS 'What the client calls it.';
COMMENT ON COLUMN analytics.webhooks.types IS 'Names of the events that it wants; empty for all.';
COMMENT ON COLUMN analytics.webhooks.off IS
    'Who switched it off: client, or gone for a receiver that said so; empty while it is on.';
COMMENT ON COLUMN analytics.webhooks.created_at IS 'When it was made.';
COMMENT ON COLUMN analytics.webhooks.updated_at IS 'When it last changed.';

CREATE OR REPLACE VIEW analytics.recipients AS
SELECT recipient_id, contact_id, list_id, organization_id, client_id, added_at, updated_at, removed_at
FROM public.recipients;
COMMENT ON VIEW analytics.recipients IS
    'Places on recipient lists and the contacts that stand or stood there, without what clients say of them.';
COMMENT ON COLUMN analytics.recipients.recipient_id IS 'Number of the place.';
COMMENT ON COLUMN analytics.recipients.contact_id IS 'The contact.';
COMMENT ON COLUMN analytics.recipients.list_id IS 'The list; the contact is on those around it too.';
COMMENT ON COLUMN analytics.recipients.organization_id IS 'Number of the organization.';
COMMENT ON COLUMN analytics.recipients.client_id IS 'Number of the client whose list it is.';
COMMENT ON COLUMN analytics.recipients.added_at IS 'When the contact first stood there.';
COMMENT ON COLUMN analytics.recipients.updated_at IS 'When that last changed.';
COMMENT ON COLUMN analytics.recipients.removed_at IS 'When it was taken off; empty while it is on the list.';

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
