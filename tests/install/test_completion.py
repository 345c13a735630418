"""The completions for shells: made of the flag tables, which have what the help texts have, and sourced in each shell."""

import re
import shutil
import subprocess

import pytest
from conftest import BUILD, COMMANDS, SOURCE, run

BINARY = BUILD.parent / "bin" / "dativo-native"
SHELLS = ["bash", "zsh", "fish"]
CODECS = ["none", "snappy", "gzip", "zstd", "lz4_raw", "brotli"]
WORDS = {"compression": CODECS, "log-format": ["text", "json"], "mode": ["strict", "warn"], "missing-columns": ["warn", "error"],
         "on-invalid": ["error", "replace"], "ragged": ["error", "null", "skip", "reject"], "names": ["keep", "unique", "snake_case"],
         "quoted": ["values", "text"], "delimiter": ["auto", "tab"], "quote": ["auto"], "reader": ["csv", "parquet"],
         "encoding": ["utf-8", "utf-16", "latin1", "windows-1252"]}


def script(shell):
    return run(BINARY, "help", "--completion", shell)


def installed_shell(name):
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


def bash(tmp_path, *words):
    (tmp_path / "script").write_text(script("bash"))
    program = 'source ./script; shift 0; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dativo_native; printf "%s\\n" "${COMPREPLY[@]}"'
    return run(installed_shell("bash"), "--norc", "-c", program, "bash", "dativo-native", *words, cwd=tmp_path).split()


def fish(tmp_path, *words):
    (tmp_path / "script").write_text(script("fish"))
    line = " ".join(["dativo-native", *words])
    out = run(installed_shell("fish"), "--no-config", "-c", 'source ./script; complete -C "$argv[1]"', line, cwd=tmp_path, env={"HOME": str(tmp_path)})
    return [row.split("\t")[0] for row in out.splitlines()]


# zsh has no completion without a terminal: what its functions are asked for is recorded instead.
def zsh(tmp_path, *words):
    (tmp_path / "script").write_text(script("zsh"))
    program = """
compdef() { }; _arguments() { print -rl -- "$@" }; _describe() { print -rl -- $commands }
source ./script; words=(dativo-native "$@"); CURRENT=$#words; _dativo_native"""
    return run(installed_shell("zsh"), "-f", "-c", program, "zsh", *words, cwd=tmp_path, env={"HOME": str(tmp_path)}).splitlines()


def table_flags(command):
    """The flags of the command's table, as the script of bash has them."""
    part = script("bash").split(f"    {command})\n        flags='", 1)[1]
    return set(part.split("'", 1)[0].split())


def help_flags(command):
    """The flags at the beginning of a row: "  -x, --name VALUE, --other VALUE  what they do"."""
    heads = [head.split("  ")[0] for head in re.findall(r"(?m)^ {2,8}(-.*)", run(BINARY, "help", command))]
    return {flag for head in heads for flag in re.findall(r"(?:^|, )(--?[\w-]+)", head)}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_has_the_flags_of_the_table_and_no_others(command):
    assert help_flags(command) | {"--help", "-h"} == table_flags(command)


def test_an_unknown_shell_is_refused():
    for words in [["tcsh"], [], ["bash", "zsh"]]:
        done = subprocess.run([BINARY, "help", "--completion", *words], capture_output=True, text=True)
        assert done.returncode == 2 and done.stdout == "" and "bash, zsh" in done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_the_shell_can_read_it(tmp_path, shell):
    (tmp_path / "script").write_text(script(shell))
    run(installed_shell(shell), "-n", tmp_path / "script", env={"HOME": str(tmp_path)})


@pytest.mark.parametrize("shell", [bash, fish])
def test_words_that_fit_are_proposed(tmp_path, shell):
    assert set(COMMANDS + ["help", "version"]) <= set(shell(tmp_path, ""))
    assert shell(tmp_path, "con") == ["convert"] and shell(tmp_path, "comm") == ["commit"]
    assert set(shell(tmp_path, "convert", "--comp")) == {"--compression"}
    assert set(shell(tmp_path, "convert", "--compression", "")) == set(CODECS)
    assert shell(tmp_path, "convert", "-c", "z") == ["zstd"]
    assert shell(tmp_path, "plugin", "") == ["check", "new"]
    assert set(shell(tmp_path, "help", "")) >= set(COMMANDS)
    assert set(shell(tmp_path, "help", "--completion", "")) == {"bash", "zsh", "fish"}
    assert set(shell(tmp_path, "verify", "--")) == {flag for flag in table_flags("verify") if flag.startswith("--")}
    (tmp_path / "data.csv").touch()
    assert set(shell(tmp_path, "convert", "--threads", "")) == set()


def test_values_behind_an_equals_sign(tmp_path):
    assert bash(tmp_path, "convert", "--ragged", "=", "s") == ["skip"]
    assert set(bash(tmp_path, "convert", "--ragged", "=")) == set(WORDS["ragged"])
    assert fish(tmp_path, "convert", "--ragged=s") == ["--ragged=skip"]


@pytest.mark.parametrize("shell", [bash, fish])
def test_behind_two_dashes_nothing_is_a_flag(tmp_path, shell):
    assert [word for word in shell(tmp_path, "convert", "--", "--comp") if word.startswith("--comp")] == []


def test_files_are_proposed_where_files_stand(tmp_path):
    (tmp_path / "contract.json").touch()
    assert "contract.json" in fish(tmp_path, "convert", "--schema", "con")
    assert "contract.json" in fish(tmp_path, "convert", "con")
    assert bash(tmp_path, "convert", "con") == []  # then bash proposes files by itself: complete -o default


def test_zsh_is_told_commands_flags_and_values(tmp_path):
    assert [row.split(":")[0] for row in zsh(tmp_path, "")] == [*COMMANDS, "help", "version"]
    for command in COMMANDS:
        specs = zsh(tmp_path, command, "")[1:]  # behind -S
        names = {re.match(r"\*?(--?[\w-]+)", spec).group(1) for spec in specs if spec.lstrip("*").startswith("-")}
        assert names == table_flags(command)
    specs = zsh(tmp_path, "convert", "")
    assert f"--compression=:value:({' '.join(CODECS)})" in specs and f"-c+:value:({' '.join(CODECS)})" in specs
    assert "*--types=:value: " in specs and "--trim" in specs and "--schema=:file:_files" in specs


def test_zsh_completes_in_a_terminal(tmp_path):
    (tmp_path / "_dativo-native").write_text(script("zsh"))
    (tmp_path / "data.csv").touch()
    lines = [("conv", "convert "), ("convert --compression z", "convert --compression zstd "), ("convert --ragged=s", "convert --ragged=skip "),
             ("convert -c z", "convert -c zstd "), ("convert --reader cs", "convert --reader csv "), ("convert --reader da", "convert --reader data.csv "),
             ("convert --schema da", "convert --schema data.csv "), ("verify da", "verify data.csv "), ("plugin c", "plugin check "),
             ("verify --qu", "verify --quiet "), ("help --completion f", "help --completion fish ")]
    # In a terminal of its own: as soon as there is a prompt, each line is completed, and written down.
    (tmp_path / "probe").write_text(r"""fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D
zle-line-init() {
    local typed
    for typed in "${(@f)$(<lines)}"; do
        BUFFER="dativo-native $typed"; CURSOR=$#BUFFER
        zle complete-word
        print -r -- "$BUFFER" >> completed
    done
    print REA""DY
}
zle -N zle-line-init
""")
    (tmp_path / "lines").write_text("\n".join(typed for typed, _ in lines))
    program = "zmodload zsh/zpty; zpty z 'zsh -f -i'; zpty -w z 'source ./probe'; zpty -r z out '*READY*'"
    run("timeout", "20", installed_shell("zsh"), "-f", "-c", program, cwd=tmp_path, env={"HOME": str(tmp_path), "TERM": "dumb"})
    assert (tmp_path / "completed").read_text().splitlines() == [f"dativo-native {shown}" for _, shown in lines]


@pytest.mark.parametrize("flag", WORDS)
def test_the_command_takes_every_word_that_is_proposed(tmp_path, flag):
    assert set(bash(tmp_path, "convert", f"--{flag}", "")) == set(WORDS[flag])
    data, schema = tmp_path / "in.csv", tmp_path / "schema.json"
    data.write_text("a,b\n1,2\n")
    schema.write_text(run(BINARY, "schema", "--json", data))
    others = {"mode": ["--schema", schema], "missing-columns": ["--schema", schema], "ragged": ["--max-rejects", "1"]}.get(flag, [])
    for word in [*WORDS[flag], "no-such-word"]:
        data.write_text("a,b\n1,2\n", encoding="utf-16" if word == "utf-16" else "utf-8")
        done = subprocess.run([BINARY, "convert", f"--{flag}", word, *others, data, tmp_path / "out.parquet", "-f"], capture_output=True, text=True)
        if word == "parquet":
            assert "this is not a Parquet file" in done.stderr
        else:
            assert done.returncode == (2 if word == "no-such-word" else 0), (word, done.stderr)


def test_words_of_every_list_are_tried():
    part = script("bash").split("    convert)\n", 1)[1].split("        esac", 1)[0]
    listed = {name: words.split() for name, words in re.findall(r"--([\w-]+)(?: \| -\w)?\) is_value=1 words='([^']+)'", part)}
    assert listed == WORDS
