"""As test_level0: every wrong answer."""

import pytest

from test_level0 import CSV, ERROR, GOOD, big, script  # noqa: F401: fixtures, too


WRONG = {
    "empty object": ("{}", "an object instead of a list"),
    "error object": ('{"error":"boom"}', "an object instead of a list"),
    "null": ("null", "no list of records"),
    "zero": ("0", "no list of records"),
    "false": ("false", "no list of records"),
    "empty text": ('""', "no list of records"),
    "text": ('"boom"', "no list of records"),
    "number": ("42", "no list of records"),
    "texts": ('["x"]', "a record, which is an object"),
    "nulls": ("[null]", "a record, which is an object"),
    "nothing": ("", "an empty text"),
    "no JSON": ("boom", "not JSON"),
    "cut off": ('[{"id":3},{"id"', "batch 2"),
    "two values": (GOOD + GOOD, "more than one JSON value"),
    "two values, empty": ("[][1]", "more than one JSON value"),
    "bad UTF-8": ({"hex": "5b7b226964223a22ff227d5d"}, "not UTF-8"),
    "error record": ('[{"__error__":"boom"}]', "an error as if it were a record"),
    "error record, alone": ('[{"error":"boom"}]', "an error as if it were a record"),
    "error text": (ERROR, "a comma is missing"),
    "error text without JSON": ("DATIVO_PLUGIN_ERROR boom", "boom"),
    "NUL in a key": ('[{"a\\u0000b":1}]', "NUL"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_answer_is_noticed(tool, script, name):
    """At first, behind a good one, and behind the sample, which is 4 MiB; with more behind it, and as the last."""
    answer, says = WRONG[name]
    late = [[], big(5, "start", {"id": 1, "name": "a"})][list(WRONG).index(name) % 3 == 2]
    for before, behind in (([], [GOOD]), ([GOOD], [GOOD]), ([GOOD], []), (late, [GOOD])):
        flags = script(texts=[*before, answer, *behind])
        tool.fails("convert", *flags, "in", "new.parquet", says=[says.replace("batch 2", f"batch {len(before) + 1}"), "libfake_answers.so"])


def test_options_that_a_plugin_seems_not_to_know_are_named_once(tool, script):
    """With an asset the reader is opened twice, and once more where types have to be others."""
    flags = script(texts=big(5, "end", {"id": 1.5}))
    for more in ([], ["--schema", "asset.yaml", "--mode", "warn"]):
        (tool.cwd / "asset.yaml").write_text("name: t\nschema: [{name: id, type: integer}]\n")
        said = tool("convert", "-f", *flags, *more, "--reader-option", "skp_rows=2", "--reader-option", "texts_=1", "in", "o.parquet").stderr.decode()
        assert said.count("skp_rows") == 1 and "which so seems to pass over them: skp_rows, texts_\n" in said
        assert "script" not in said
    (tool.cwd / "in.csv").write_text(CSV)
    said = tool.ok("convert", *script("writer"), "--writer-option", "compresion=zstd", "in.csv", "out.json").stderr.decode()
    assert said.count("pass over them: compresion\n") == 1
    many = [word for i in range(20) for word in ("--reader-option", f"zz{i}=1")]
    said = tool.ok("convert", "-f", *script(texts=[GOOD]), *many, "in", "o.parquet").stderr.decode()
    assert "zz14, ...\n" in said and "zz15" not in said
