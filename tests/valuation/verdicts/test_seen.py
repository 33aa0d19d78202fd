"""What an analyst has seen is theirs alone, for good, and of no audit in particular."""

from __future__ import annotations

from .conftest import NOON, entry, taken_back


def test_what_is_seen_is_of_the_sessions_named_and_of_one_analyst(log):
    log.seen.note([], analyst="Ada", at=NOON)
    log.seen.note(["s1", "s3", "s1"], analyst="Ada", at=NOON)
    log.seen.note({"s3", "s4"}, analyst="Ada", at=NOON)
    assert log.seen.of("Ada", ["s0", "s1", "s2", "s3", "s4"]) == {"s1", "s3", "s4"}
    assert log.seen.has("Ada", "s1") and not log.seen.has("Ada", "s0") and not log.seen.has("Bo", "s1")
    assert log.seen.of("Ada", []) == set()


def test_undo_on_pages_passes_over_what_came_from_a_file(log):
    log.append(entry(session_id="s1", token="page"))
    log.append(entry(session_id="s2", token="file", origin="import"))
    given = {"analyst": "Ada", "audit_id": "", "decided_at": NOON}
    assert log.undo(**given, token="u1", on_pages=True).entry.session_id == "s1"
    assert log.undo(**given, token="u2", on_pages=True) is None
    assert [one.entry.session_id for one in log.standing()] == ["s2"]
    assert taken_back(log, "u3").session_id == "s2"


def test_a_name_in_other_letters_is_not_another_analyst(log):
    assert log.as_known("Ada") == "Ada"
    log.append(entry(analyst="Ada Straße"))
    log.assignments.record("a", {("s1", "BO"): NOON})
    assert [log.as_known(name) for name in ("ADA STRASSE", "ada straße", "Ada Straße", "bo", "Bob")] == [
        "Ada Straße", "Ada Straße", "Ada Straße", "BO", "Bob"
    ]  # fmt: skip
