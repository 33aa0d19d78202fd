"""Sessions from tables and from transcripts."""

import json
import re
from datetime import UTC, datetime

import pandas as pd
import pytest

from valuation.errors import InputError
from valuation.imports import quarantined
from valuation.imports.masking import hash_name

from .conftest import KEY

HEAD = "session_id,user,started_at,summary,kind,files,merged,code\n"
ROWS = (
    "session-01,ada,2026-01-05T10:00:00.123456789Z,Fix the parser,fix,3,True,007\n"
    "session-02,bob,2026-02-05 10:00:00+02:00,Write docs for a@b.org,docs,4,False,008\n"
)


def test_a_table_is_guessed(room):
    report = room.sessions(room.file("work.csv", HEAD + ROWS))
    table = room.session_table().set_index("session_id")
    assert table.loc["session-01", "user_id"] == hash_name(KEY, "ada")
    assert table.loc["session-01", "started_at"] == datetime(2026, 1, 5, 10, 0, 0, 123456, tzinfo=UTC)
    assert table.loc["session-02", "started_at"] == datetime(2026, 2, 5, 8, tzinfo=UTC)
    assert table["month"].tolist() == ["2026-01", "2026-02"]
    assert table.loc["session-02", "summary"] == "Write docs for [email]"
    assert table["weight"].tolist() == [1.0, 1.0]
    assert table["files"].tolist() == [3.0, 4.0]
    assert table["merged"].tolist() == [True, False]
    assert table["code"].tolist() == ["007", "008"]
    assert (table["files"].dtype, str(table["merged"].dtype), str(table["code"].dtype)) == (float, "boolean", "str")
    assert any("every session has weight 1.0" in note for note in report.files[0].notes)


def test_importing_twice_changes_nothing(room):
    file = room.file("work.csv", HEAD + ROWS)
    room.sessions(file)
    before = room.snapshot()
    assert room.sessions(file).files[0].unchanged
    assert room.snapshot() == before


def test_summaries_in_order_of_preference_and_weights(room):
    mapping = room.mapping(
        'kind = "sessions"\n[columns]\nstarted_at = "day"\nsummary = ["intent", "prompt"]\nweight = "w"\n'
        '[options]\nattributes = ["kind"]\n'
    )
    text = (
        "day,intent,prompt,w,kind,other\n2026-01-05,Plan,do it,2,a,x\n2026-01-05,,do that,,b,y\n2026-01-05,,,1,c,z\n"
        "2026-01-05,Plan,do it,0,d,z\n"
    )
    report = room.sessions(room.file("work.csv", text), mapping=mapping)
    table = room.session_table().sort_values("summary")
    assert table["summary"].tolist() == ["Plan", "do that"]
    assert table["weight"].tolist() == [2.0, 1.0]
    assert list(table.columns) == ["session_id", "user_id", "started_at", "month", "summary", "weight", "kind"]
    assert table["session_id"].str.fullmatch("[0-9a-f]{16}").all()
    assert table["user_id"].isna().all()
    assert dict(report.files[0].reasons) == {"no_text": 1, "bad_value": 1}


def test_short_ids_are_not_trusted_without_a_mapping(room):
    for name, text in (("a.csv", "Fix it"), ("b.csv", "Build it")):
        room.sessions(room.file(name, f"session_id,started_at,summary\n1,2026-01-05,{text} now please\n"))
    assert sorted(room.session_table()["summary"]) == ["Build it now please", "Fix it now please"]


def test_clashing_attributes_are_refused_with_the_line(room):
    text = HEAD.replace("kind", "month") + ROWS
    with pytest.raises(InputError, match=r'attributes = \["files", "merged", "code"\]'):
        room.sessions(room.file("work.csv", text))


def test_unmapped_names_are_hashed(room):
    text = HEAD.replace("code", "reviewer name") + ROWS.replace("007", "Grace").replace("008", "Grace")
    room.sessions(room.file("work.csv", text))
    assert set(room.session_table()["reviewer name"]) == {hash_name(KEY, "Grace")}


def test_attributes_of_several_files_join(room):
    room.sessions(room.file("a.csv", HEAD + ROWS))
    other = "session_id,user,started_at,summary,files,team\nsession-03,ada,2026-01-06,Build it now please,many,x\n"
    room.sessions(room.file("b.csv", other))
    table = room.session_table().set_index("session_id")
    assert table["files"].tolist() == ["3", "4", "many"]
    assert table["team"].isna().tolist() == [True, True, False]
    assert pd.isna(table.loc["session-03", "merged"])
    assert table["user_id"].nunique() == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", 'under \\[columns\\] summary = "COLUMN"'),
        ("summary,x\nFix it now please,5\n", 'under \\[columns\\] started_at = "COLUMN"'),
        ("summary,when\nFix it now please,2026-01-05\n", 'started_at = "when"'),
        ("summary,started_at\nFix it now please,03/04/2026\n", "day_first = true or day_first = false"),
        ("started_at,prompt,text\n2026-01-05,a b c,d e f\n", 'summary = "prompt" or summary = "text"'),
    ],
)
def test_what_is_missing_is_named(room, text, message):
    with pytest.raises(InputError, match=message):
        room.sessions(room.file("work.csv", text))
    assert not room.snapshot()


def test_reasons_and_retry(room):
    mapping = (
        'kind = "sessions"\n[columns]\nsession_id = "id"\nsummary = "s"\nstarted_at = "t"\n[options]\nattributes = []\n'
    )
    text = "id,s,t,u\na,Fix,2026-01-05,\nb,,2026-01-05,other\nc,Fix,,x\nd,Fix,2030-01-01,x\n"
    text += "e,x,2026-01-05,\ne,y,2026-01-05,\n"
    report = room.sessions(room.file("work.csv", text), mapping=room.mapping(mapping))
    assert dict(report.files[0].reasons) == {"no_text": 1, "no_date": 1, "future_date": 1, "duplicate_id": 2}
    room.retry("sessions", room.mapping(mapping.replace('"s"', '["s", "u"]')))
    assert room.session_table()["session_id"].tolist() == ["a", "b"]
    found = room.ledger().iloc[0]
    assert found[["rows_in", "kept", "merged", "quarantined"]].tolist() == [6, 2, 0, 4]
    assert sorted(quarantined(room.layout, "sessions")["row"]) == [3, 4, 5, 6]


def transcript(session, *, summary=None, prompts=("Fix the parser", "and test it"), cwd="/home/ada/parser"):
    lines = [{"type": "summary", "summary": summary, "leafUuid": "x"}] if summary else []
    for number, prompt in enumerate(prompts):
        stamp = f"2026-01-05T10:0{number}:00.000Z"
        lines.append(
            {
                "type": "user",
                "sessionId": session,
                "timestamp": stamp,
                "cwd": cwd,
                "message": {"role": "user", "content": prompt},
            }
        )
        answer = [{"type": "text", "text": "done"}]
        lines.append(
            {
                "type": "assistant",
                "sessionId": session,
                "timestamp": stamp,
                "message": {"role": "assistant", "content": answer},
            }
        )
    return "".join(json.dumps(line) + "\n" for line in lines)


def test_a_folder_of_transcripts(room):
    folder = room.folder / "project"
    folder.mkdir()
    blocks = [
        {"type": "text", "text": "Build it, key=abcd1234abcd1234abcd"},
        {"type": "tool_result", "content": "no"},
    ]
    unsaid = {"type": "user", "sessionId": "s-two", "message": {"role": "user", "content": "not typed by anyone"}}
    hidden = "".join(json.dumps(unsaid | {mark: True}) + "\n" for mark in ("isMeta", "isSidechain"))
    (folder / "one.jsonl").write_text(transcript("s-one", summary="Parser repaired"), encoding="utf-8")
    (folder / "two.jsonl").write_text(
        transcript("s-two", prompts=("<command-name>/clear</command-name>", blocks)) + hidden + "{cut", encoding="utf-8"
    )
    report = room.sessions(str(folder))
    table = room.session_table()
    assert table["session_id"].tolist() == ["s-one", "s-two"]
    assert table["summary"].tolist() == ["Parser repaired", "Build it, key=[key]"]
    assert table["project"].tolist() == ["parser", "parser"]
    assert table["prompts"].tolist() == [2.0, 1.0]
    assert table["started_at"].tolist() == [datetime(2026, 1, 5, 10, tzinfo=UTC)] * 2
    assert any("1 lines are not JSON" in note for note in report.files[0].notes)
    assert not [cell for cell in map(str, table.to_numpy().ravel()) if "ada" in cell or "home" in cell]
    assert room.sessions(str(folder)).files[0].unchanged


def test_one_transcript_file_and_a_constant_user(room):
    file = room.file("t.jsonl", transcript("s-one"))
    room.sessions(file, mapping=room.mapping('kind = "sessions"\n[constants]\nuser = "ada"\n'))
    row = room.session_table().iloc[0]
    assert row["summary"] == "Fix the parser\n\nand test it"
    assert row["user_id"] == hash_name(KEY, "ada")


def test_sessions_in_json_lines_are_a_table(room):
    lines = [
        {"session_id": f"session-{n}", "started_at": "2026-01-05", "summary": "Fix the parser now"} for n in range(2)
    ]
    room.sessions(room.file("t.jsonl", "".join(json.dumps(line) + "\n" for line in lines)))
    assert len(room.session_table()) == 2


def test_formats_and_folders_are_checked(room):
    with pytest.raises(InputError, match="expected one of auto, table, claude-code"):
        room.sessions("x", file_format="chat")
    with pytest.raises(InputError, match="no such file"):
        room.sessions(str(room.folder / "gone"), file_format="claude-code")
    (room.folder / "empty").mkdir()
    with pytest.raises(InputError, match=re.escape("no *.jsonl transcripts")):
        room.sessions(str(room.folder / "empty"))
