"""What makes two stored things the same: digests of what identifies them."""

import hashlib
import json

from db.values import RevisionFacts


def digest(document: object) -> str:
    """The SHA-256 of a JSON document in canonical form."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":"), default=str).encode()).hexdigest()


def revision_key(facts: RevisionFacts, version_id: int | None) -> str:
    """The key of a revision: of every column that identifies measured code."""
    return digest([facts.kernel, facts.commit, facts.label, facts.config_hash, facts.dirty, version_id, facts.patch])
