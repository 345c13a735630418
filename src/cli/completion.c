#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#define SHELLS "bash zsh fish"

/* What the values of a flag may be.  Of flags that are not listed nothing is proposed. */
struct values {
    const char *flag;
    const char *words; /* "" for none */
    bool files;        /* or the name of a file */
};

static const struct values k_values[] = {
    {"ca-file", "", true},
    {"compression", "none snappy gzip zstd lz4_raw brotli", false},
    {"config", "", true},
    {"delimiter", "auto tab", false},
    {"encoding", "utf-8 utf-16 latin1 windows-1252", false},
    {"language", "c rust", false},
    {"level", "0 1", false},
    {"log-format", "text json", false},
    {"missing-columns", "warn error", false},
    {"mode", "strict warn", false},
    {"names", "keep unique snake_case", false},
    {"on-invalid", "error replace", false},
    {"output", "", true},
    {"quote", "auto", false},
    {"quoted", "values text", false},
    {"ragged", "error null skip reject", false},
    {"reader", "csv parquet", true},
    {"rejects", "", true},
    {"run", "", true},
    {"schema", "", true},
    {"writer", "", true},
};

static const struct values *values_of(const struct dn_flag *flag)
{
    static const struct values any = {"", "", false};

    for (size_t i = 0; i < sizeof k_values / sizeof k_values[0]; i++) {
        if (strcmp(k_values[i].flag, flag->name) == 0) {
            return &k_values[i];
        }
    }
    return &any;
}

/* The table of a command with what every command has, too. */
static size_t flags_of(const struct dn_command *command, struct dn_flag out[DN_FLAGS_MAX + 1])
{
    const size_t n = command->flags != NULL ? command->flags(out) : 0;

    out[n] = (struct dn_flag){"help", 'h', DN_FLAG_BOOL, NULL};
    return n + 1;
}

static void names_print(const struct dn_command *const *commands, size_t n_commands)
{
    for (size_t i = 0; i < n_commands; i++) {
        (void)printf("%s ", commands[i]->name);
    }
}

/* ---- bash ---------------------------------------------------------------------------------------------------------- */

static void bash_command(const struct dn_command *command)
{
    struct dn_flag flags[DN_FLAGS_MAX + 1];
    const size_t n = flags_of(command, flags);

    (void)printf("    %s)\n        flags='", command->name);
    for (size_t i = 0; i < n; i++) {
        (void)printf("--%s ", flags[i].name);
        if (flags[i].letter != '\0') {
            (void)printf("-%c ", flags[i].letter);
        }
    }
    (void)puts("'");
    if (command->words != NULL) {
        (void)printf("        [ \"$COMP_CWORD\" -eq 2 ] && words='%s'\n", command->words);
    }
    (void)puts("        case $previous in");
    for (size_t i = 0; i < n; i++) {
        if (flags[i].kind == DN_FLAG_BOOL) {
            continue;
        }
        const struct values *values = values_of(&flags[i]);
        (void)printf("        --%s", flags[i].name);
        if (flags[i].letter != '\0') {
            (void)printf(" | -%c", flags[i].letter);
        }
        (void)printf(") is_value=1 words='%s' files=%s ;;\n", values->words,
                     values->files ? "1" : "");
    }
    (void)puts("        esac\n        ;;");
}

static void bash_print(const struct dn_command *const *commands, size_t n_commands)
{
    (void)fputs("# Completions of " DN_PROGRAM " " DN_VERSION " for bash\n"
                "_dativo_native()\n"
                "{\n"
                "    local word=${COMP_WORDS[COMP_CWORD]} before=$((COMP_CWORD - 1))\n"
                "    local previous flags='' words='' files=1 is_value=''\n"
                "    COMPREPLY=()\n"
                "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
                "        COMPREPLY=($(compgen -W '",
                stdout);
    names_print(commands, n_commands);
    (void)fputs("help version --help --version' -- \"$word\"))\n"
                "        return\n"
                "    fi\n"
                "    # --flag=value is three words\n"
                "    if [ \"$word\" = = ]; then\n"
                "        word=''\n"
                "    elif [ \"${COMP_WORDS[before]}\" = = ]; then\n"
                "        before=$((before - 1))\n"
                "    fi\n"
                "    previous=${COMP_WORDS[before]}\n"
                "    case \" ${COMP_WORDS[*]:0:COMP_CWORD} \" in *' -- '*) return ;; esac\n"
                "    case ${COMP_WORDS[1]} in\n"
                "    help)\n"
                "        words='",
                stdout);
    names_print(commands, n_commands);
    (void)fputs("'\n"
                "        flags='--man --completion' files=''\n"
                "        [ \"$previous\" = --completion ] && is_value=1 words='" SHELLS "'\n"
                "        ;;\n",
                stdout);
    for (size_t i = 0; i < n_commands; i++) {
        bash_command(commands[i]);
    }
    (void)fputs("    esac\n"
                "    case $is_value$word in\n"
                "    -*) words=$flags files='' ;;\n"
                "    esac\n"
                "    [ -n \"$words\" ] && COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
                "    if [ -z \"$files\" ]; then\n"
                "        compopt +o default +o bashdefault 2>/dev/null\n"
                "    fi\n"
                "    return 0\n"
                "}\n"
                "complete -o bashdefault -o default -F _dativo_native " DN_PROGRAM "\n",
                stdout);
}

/* ---- zsh ----------------------------------------------------------------------------------------------------------- */

/* What stands behind a flag in its specification. */
static void zsh_value(const struct dn_flag *flag)
{
    const struct values *values = values_of(flag);

    if (values->files && values->words[0] != '\0') {
        (void)printf(":value:{_alternative \"words\\:word\\:(%s)\" \"files\\:file\\:_files\"}",
                     values->words);
    } else if (values->files) {
        (void)printf(":file:_files");
    } else if (values->words[0] != '\0') {
        (void)printf(":value:(%s)", values->words);
    } else {
        (void)printf(":value: ");
    }
}

static void zsh_command(const struct dn_command *command)
{
    struct dn_flag flags[DN_FLAGS_MAX + 1];
    const size_t n = flags_of(command, flags);

    (void)printf("    %s)\n        _arguments -S", command->name);
    for (size_t i = 0; i < n; i++) {
        const bool has_value = flags[i].kind != DN_FLAG_BOOL;
        const char *often = flags[i].kind == DN_FLAG_LIST ? "*" : "";
        (void)printf(" \\\n            '%s--%s%s", often, flags[i].name, has_value ? "=" : "");
        if (has_value) {
            zsh_value(&flags[i]);
        }
        (void)putchar('\'');
        if (flags[i].letter != '\0') {
            (void)printf(" '%s-%c%s", often, flags[i].letter, has_value ? "+" : "");
            if (has_value) {
                zsh_value(&flags[i]);
            }
            (void)putchar('\'');
        }
    }
    if (command->words != NULL) {
        (void)printf(" \\\n            '1:word:(%s)'", command->words);
    }
    (void)puts(" \\\n            '*:file:_files'\n        ;;");
}

/* Inside quotes of a shell. */
static void summary_print(const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stdout);
    }
}

static void zsh_print(const struct dn_command *const *commands, size_t n_commands)
{
    (void)fputs("#compdef " DN_PROGRAM "\n"
                "# Completions of " DN_PROGRAM " " DN_VERSION " for zsh\n"
                "_dativo_native() {\n"
                "    local -a commands\n"
                "    local command=$words[2]\n"
                "    commands=(\n",
                stdout);
    for (size_t i = 0; i < n_commands; i++) {
        (void)printf("        '%s:", commands[i]->name);
        summary_print(commands[i]->summary);
        (void)puts("'");
    }
    (void)fputs("        'help:more about one command'\n"
                "        'version:what this is'\n"
                "    )\n"
                "    if (( CURRENT == 2 )); then\n"
                "        _describe command commands\n"
                "        return\n"
                "    fi\n"
                "    shift words\n"
                "    (( CURRENT-- ))\n"
                "    case $command in\n"
                "    help)\n"
                "        _arguments '--man' '--completion:shell:(" SHELLS ")' '1:command:(",
                stdout);
    names_print(commands, n_commands);
    (void)fputs(")'\n        ;;\n", stdout);
    for (size_t i = 0; i < n_commands; i++) {
        zsh_command(commands[i]);
    }
    (void)fputs("    esac\n"
                "}\n"
                "if [ \"$funcstack[1]\" = _dativo-native ]; then\n"
                "    _dativo_native \"$@\"\n"
                "else\n"
                "    compdef _dativo_native " DN_PROGRAM "\n"
                "fi\n",
                stdout);
}

/* ---- fish ---------------------------------------------------------------------------------------------------------- */

#define FISH "complete -c " DN_PROGRAM

static void fish_command(const struct dn_command *command)
{
    struct dn_flag flags[DN_FLAGS_MAX + 1];
    const size_t n = flags_of(command, flags);

    (void)printf(FISH " -n __fish_use_subcommand -f -a %s -d '", command->name);
    for (const char *c = command->summary; *c != '\0'; c++) {
        (void)printf("%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
    }
    (void)puts("'");
    if (command->words != NULL) {
        (void)printf(FISH " -n '__fish_seen_subcommand_from %s; and not "
                          "__fish_seen_subcommand_from %s' -f -a '%s'\n",
                     command->name, command->words, command->words);
    }
    for (size_t i = 0; i < n; i++) {
        const struct values *values = values_of(&flags[i]);
        (void)printf(FISH " -n '__fish_seen_subcommand_from %s' -l %s", command->name,
                     flags[i].name);
        if (flags[i].letter != '\0') {
            (void)printf(" -s %c", flags[i].letter);
        }
        if (flags[i].kind != DN_FLAG_BOOL) {
            (void)printf(values->files ? " -r -F" : " -x");
            if (values->words[0] != '\0') {
                (void)printf(" -a '%s'", values->words);
            }
        }
        (void)putchar('\n');
    }
}

static void fish_print(const struct dn_command *const *commands, size_t n_commands)
{
    (void)puts("# Completions of " DN_PROGRAM " " DN_VERSION " for fish\n" FISH
               " -n __fish_use_subcommand -f -a help -d 'more about one command'\n" FISH
               " -n __fish_use_subcommand -f -a version -d 'what this is'\n" FISH
               " -n __fish_use_subcommand -f -l version -l help\n" FISH
               " -n '__fish_seen_subcommand_from help' -f -l man\n" FISH
               " -n '__fish_seen_subcommand_from help' -x -l completion -a '" SHELLS "'");
    (void)fputs(FISH " -n '__fish_seen_subcommand_from help' -f -a '", stdout);
    names_print(commands, n_commands);
    (void)puts("'");
    for (size_t i = 0; i < n_commands; i++) {
        fish_command(commands[i]);
    }
}

bool dn_completion_print(const char *shell, const struct dn_command *const *commands,
                         size_t n_commands)
{
    if (strcmp(shell, "bash") == 0) {
        bash_print(commands, n_commands);
    } else if (strcmp(shell, "zsh") == 0) {
        zsh_print(commands, n_commands);
    } else if (strcmp(shell, "fish") == 0) {
        fish_print(commands, n_commands);
    } else {
        return false;
    }
    return true;
}
