"""Several files, each written in its own way, as one table: the rows of a plain model of the rules, and those that were meant, or an error."""

import files_model_made


def test_as_the_model_has_it(tool):
    seen = {files_model_made.check(tool, seed) for seed in range(150)}
    assert {"rows", "no rows", "refused: another header", "refused: rows end with carriage returns alone"} <= seen
