"""A local Amazon SES: the v2 HTTP API as boto3 calls it, an inbox, SES events and faults on request."""
