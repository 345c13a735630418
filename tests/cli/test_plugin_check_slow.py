"""As test_plugin_check, of every rule that a plugin may break."""

import pytest

from test_plugin_check import BAD_JSON, FILES, LEVEL1, MANY, MISSING, NULLS, RECORDS, ROWS, SMALL, TWO, UNWRITABLE, check, found


FOLDERS = "writer: writers keep to their own folders"


DEFECTS = {  # what breaks, the check that finds it, what it says
    "create NULL": (BAD_JSON, "returned NULL, which hosts do not check"),
    "forgets errors": (BAD_JSON, "the second call after an error"),
    "error is JSON": (BAD_JSON, "the error text is JSON"),
    "error without prefix": (BAD_JSON, "does not begin with"),
    "missing is the end": (MISSING, "end of the data"),
    "NULL handle": (NULLS, "crashed: "),
    "one file of two": ("reader: of two files", "3 rows, and of the file twice 3"),
    "empty list": (ROWS, "an empty list"),
    "object": (ROWS, "no list of records"),
    "number": (ROWS, "no list of records"),
    "no JSON": (ROWS, "not JSON"),
    "cut off": (ROWS, "not JSON"),
    "NUL": (ROWS, "not JSON"),
    "bad UTF-8": (ROWS, "not UTF-8"),
    "empty": (ROWS, "a text is empty"),
    "texts": (ROWS, "a record is no object"),
    "error record": (ROWS, "an error came as a record"),
    "zeros": (ROWS, "00501 became a number"),
    "loses a row": (ROWS, "3 rows expected, got 2"),
    "again after the end": (ROWS, "after NULL came another batch"),
    "static": (TWO, "took turns"),
    "static text": (TWO, "a text became another one while others came"),
    "static folder": (FOLDERS, "a file is not in output_base"),
    "error is no object": (BAD_JSON, 'no JSON object with a "message"'),
    "error without message": (BAD_JSON, 'no JSON object with a "message"'),
    "static for good": (TWO, "two readers that took turns got other rows than one alone"),
    "error behind the end": (ROWS, "NULL was returned in place of an error, which came behind it"),
    "refuses a good file": (ROWS, 'an error came of a good file: DATIVO_PLUGIN_ERROR {"code":"io"'),
    "files open": (MANY, "files open"),
    "endless": (ROWS, "did not end within 1 seconds"),
    "frees twice": (ROWS, "crashed: Aborted"),
    "frees strings twice": (ROWS, "crashed: Aborted"),
    "error is not UTF-8": (BAD_JSON, "the error text is not UTF-8"),
    "key twice": (ROWS, "a key twice"),
    "other value": (ROWS, 'record 3, key name: "y", and not x'),
    "key missing": (ROWS, "record 3, key name: absent"),
    "key too many": (ROWS, "record 3 has a key that the file has not: extra"),
    "no keys": (ROWS, "a record has no keys"),
    "row twice": (ROWS, "3 rows expected, got 4"),
    "threads stay": (MANY, "40 threads"),
    "keeps handles": (MANY, "bytes of memory"),
    "keeps texts": (MANY, "bytes of memory"),
    "process stays": (ROWS, "left a process that it started"),
    "mask": (ROWS, "changed the signals that are blocked"),
    "umask": (ROWS, "changed the umask"),
    "environment": (ROWS, "changed the environment"),
    "rounding": (ROWS, "changed how numbers are rounded"),
    "standard error": (ROWS, "changed standard error"),
    "files: another": (SMALL, "a file is not there"),
    "exit": (ROWS, "ended the process, with code 0"),
    "descriptors": (ROWS, "ended the process, with code 0"),  # writes to files that are not its own
    "abort": (ROWS, "crashed: Aborted"),
    "stdout": (ROWS, "printed on standard output"),
    "signals": (ROWS, "changed the handler of SIGINT"),
    "directory": (ROWS, "changed the working directory"),
    "locale": (ROWS, "changed the locale"),
    "no files": (SMALL, "not a list of files"),
    "files: NULL": (SMALL, "hosts take it for no files"),
    "files: error": (SMALL, "not a list of files"),
    "files: no size": (SMALL, "size_bytes is no whole number"),
    "files: wrong size": (SMALL, "not of size_bytes"),
    "files: wrong count": (SMALL, "record_count is not 3"),
    "files: twice": (SMALL, "a file is named twice"),
    "files: not there": (SMALL, "is not there"),
    "files: URL, wrong size": (SMALL, "not of size_bytes"),
    "files: URL not there": (SMALL, "is not there"),
    "files: path with a URL in it": (SMALL, "is not there"),
    "files: dots": (SMALL, "a file is named twice"),
    "files: the rest": (FILES, "/rest: the rows of the first are gone"),
    "files of other writers": (FILES, "/part-0: the rows of the first are gone"),
    "files grow": (FILES, "bytes once the writer is freed, and not"),
    "mappings stay": (MANY, "pages of memory mapped"),
    "one file": (FILES, "the rows of the first are gone"),
    "temporary files stay": (FILES, ".tmp is left once the writer is freed"),
    "removes files": (FILES, "is gone once the writer is freed"),
    "records NULL": (RECORDS, "end of the data"),
    "passes over errors": (UNWRITABLE, "an output_base below a file: the answer is no error: []"),
    "file by dots": (SMALL, "a file is not in output_base"),
    "file elsewhere": (SMALL, "a file is not in output_base"),
    "file beside the folder": (SMALL, "a file was written outside of output_base"),
    "file in the working directory": (SMALL, "a file was written to the working directory: x.json"),
}


READERS, TABLE, ABORT, CLOSE, WRITERS = (
    "reader: readers that are gone leave no files open, no threads and no memory", "writer: a small table is written, and seen only after commit()",
    "writer: abort() leaves nothing behind", "writer: close() without commit() leaves nothing behind",
    "writer: writers that are gone leave no files open, no threads and no memory")


ORDER = "writer: calls out of order are errors, and make no file"


CANCEL = "reader: cancel() ends the stream"


DEFECTS_1 = {
    "other id": ("reader: a small file comes out exactly", "an id came out wrong", "counting_reader.c"),
    "other amount": ("reader: a small file comes out exactly", "an amount came out wrong", "counting_reader.c"),
    "needs an option": ("writer: an unknown option is an error", "open() failed: engine.options.table is missing", "--run CONFIG"),
    "cancel: ignored": (CANCEL, "after cancel() the stream went on: 17 batches came", "before every batch"),
    "cancel: the end": (CANCEL, "cancel() was told as the end of the data, after 1 of 30 rows", "hosts take an end without an error"),
    "cancel: another error": (CANCEL, "failed with another error: code 3, without a message", "DATIVO_ERR_CANCELLED"),
    "cancel: no error": (CANCEL, "the stream failed, but last_error() knows nothing", "keep the error in the handle"),
    "reused buffers": ("reader: batches stay as they are", "batch 1 of a reader held something else", "buffers of its own"),
    "replaces": ("writer: a file that appears before commit()", "a file that came after open() was replaced", "link()"),
    "no overwriting": ("writer: with the option overwrite", "open() failed: it exists", "the option \"overwrite\""),
    "appends late": (ORDER, "append() after finish() was no error", "is finished"),
    "forgets failures": (ORDER, "append() had failed, and commit() was no error", "the first error"),
    "commits early": (ORDER, "commit() without finish() made a file", "is finished"),
    "works in a child": ("writer: a child of fork()", "in a child of fork() finish() was no error", "getpid()"),
    "aborts in a child": ("writer: a child of fork()", "finish() failed: ", "let abort() and close() do nothing"),
    "newer errors": ("reader: errors fit", "open() wrote byte", "err->struct_size covers"),
    "newer last error": ("reader: errors fit", "last_error() wrote byte", "err->struct_size covers"),
    "newer errors of commit": ("writer: errors fit", "commit() wrote byte", "err->struct_size covers"),
    "keeps batches": (READERS, "40 readers left", "release()"),
    "keeps sources": (READERS, "40 readers left", "close()"),
    "other code": ("reader: a small file comes out exactly", "open() failed on a good file", "DATIVO_ERR_UNSUPPORTED"),
    "keeps handles": (WRITERS, "20 writers left", "close()"),
    "keeps texts": (WRITERS, "20 writers left", "free_text()"),
    "batch not released": (TABLE, "the batch was not released", "batch->release(batch)"),
    "release only set": (ABORT, "the batch was not released, and its release set to NULL", "batch->release(batch)"),
    "released twice": (CLOSE, "the batch was released 2 times", "batch->release(batch)"),
    "file beside the folder": (TABLE, "a file was written outside of output_base", "output_base"),
    "file in the working directory": (TABLE, "a file was written to the working directory: x.json", "output_base"),
    "beside the output": (TABLE, "files are left beside the output", "remove every file"),
    "final name at once": (WRITERS, "its final name before commit()", "rename in commit()"),
    "forgets errors": ("reader: broken data is an error, not the end", "last_error() knows nothing", "keep the error in the handle"),
    "manifest: no list": (TABLE, "the manifest is not a list", "a list with one object"),
    "manifest: count": (TABLE, "the manifest does not count 3 rows", "record_count"),
    "manifest: size": (TABLE, "the manifest says 17 bytes, and the file has 7", "size_bytes"),
    "manifest: another file": (TABLE, "the manifest names another file", "path"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_has_its_finding_and_a_remedy(tool, defect):
    name, says = DEFECTS[defect]
    found(check(tool, defect, "--timeout", "1"), "level 0 " + name, says)


@pytest.mark.parametrize("defect", DEFECTS_1)
def test_a_defect_of_level_1(tool, defect):
    name, says, remedy = DEFECTS_1[defect]
    assert remedy in found(check(tool, defect, plugin=LEVEL1), "level 1 " + name, says)


@pytest.mark.parametrize("defect, name, says, remedy", [
    ("no JSON", "reader: of two files", "not JSON", "return [{...},...]"),
    ("no JSON", TWO, "not JSON", "return [{...},...]"),
    ("static", TWO, "took turns", "no static variables"),
    ("loses a row", ROWS, "3 rows expected", "each comes once"),
    ("mappings stay", MANY, "pages of memory", "munmap()"),
    ("exit", ROWS, "ended the process", "never call exit()"),
    ("abort", ROWS, "crashed", "valgrind"),
    ("files of other writers", FILES, "are gone", "O_EXCL"),
    ("removes files", FILES, "is gone", "remove none of those in free_writer()"),
    ("temporary files stay", FILES, "is left", "no answer has named"),
    ("files: wrong count", FILES, "record_count is not 3", "let record_count be"),
    ("files: wrong size", SMALL, "not of size_bytes", "close the file first"),
    ("error without prefix", BAD_JSON, "does not begin with", "let an error text begin with"),
    ("create NULL", BAD_JSON, "returned NULL", "a handle that remembers the error"),
    ("endless", ROWS, "did not end within 1 seconds", "gdb -p PID"),
    ("abort", ROWS, "crashed: Aborted", "valgrind"),
])
def test_a_remedy_is_that_of_the_defect(tool, defect, name, says, remedy):
    assert remedy in found(check(tool, defect, "--timeout", "1"), "level 0 " + name, says)


def test_time_is_over_where_no_batch_comes(tool):
    """With rows of one's own a source takes as long as it does."""
    (tool.cwd / "small.csv").write_text("x\n")
    (tool.cwd / "run.json").write_text('{"files": [{"path": "small.csv"}]}')
    text = check(tool, "slow", "--run", "run.json", "--timeout", "1").stdout.decode()
    assert f"PASS  level 0 {ROWS} - 3 rows in 2 batches, then the end" in text
    done = check(tool, "endless", "--run", "run.json", "--timeout", "1")
    assert "--timeout" in found(done, "level 0 " + ROWS, "did not end within 1 seconds")
