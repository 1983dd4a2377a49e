"""The headless agent on the machine that trains. Imports mldesk.wire and mldesk.core, nothing else of ours."""
