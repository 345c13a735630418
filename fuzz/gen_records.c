/*
 * Texts for fuzz_records_peer without a fuzzer, one per number: records of random values, half of them with bytes changed.
 *     gen_records FIRST COUNT [--show]
 */
#include "fuzz_records_peer.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct text {
    uint64_t random;
    size_t len;
    char data[1 << 16];
};

static uint32_t next(struct text *t, uint32_t n)
{
    t->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = t->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static void put(struct text *t, const char *word)
{
    const size_t len = strlen(word);

    if (t->len + len < sizeof t->data) {
        memcpy(t->data + t->len, word, len);
        t->len += len;
    }
}

#define PICK(t, words) (words)[next(t, sizeof(words) / sizeof((words)[0]))]

static const char *const k_numbers[] = {"0",
                                        "-0",
                                        "1",
                                        "7",
                                        "-12",
                                        "2147483647",
                                        "2147483648",
                                        "-2147483649",
                                        "9007199254740993",
                                        "9223372036854775807",
                                        "-9223372036854775808",
                                        "9223372036854775808",
                                        "1180591620717411303424",
                                        "0.0",
                                        "-0.0",
                                        "1.0",
                                        "1e3",
                                        "1.5",
                                        "0.1",
                                        "1E+2",
                                        "1e-7",
                                        "5e-324",
                                        "1e-400",
                                        "1.7976931348623157e308",
                                        "1e400",
                                        "-1e400",
                                        "123456789012345678901234567890.5",
                                        "1.00000000000000000001",
                                        "01",
                                        "1.",
                                        ".5",
                                        "+1",
                                        "--1",
                                        "1e",
                                        "0x10",
                                        "1_0",
                                        "NaN",
                                        "Infinity",
                                        "-Infinity",
                                        "nan"};
static const char *const k_texts[] = {"\"\"",
                                      "\"a\"",
                                      "\"7\"",
                                      "\" 7\\t\"",
                                      "\"007\"",
                                      "\"+5\"",
                                      "\"1.5\"",
                                      "\".5\"",
                                      "\"5.\"",
                                      "\"1e400\"",
                                      "\"nan\"",
                                      "\"true\"",
                                      "\"No\"",
                                      "\"on\"",
                                      "\"2024-02-29\"",
                                      "\"\\u0041\"",
                                      "\"\\ud83d\\ude00\"",
                                      "\"\\ud83d\"",
                                      "\"\\ude00x\"",
                                      "\"\\u0000\"",
                                      "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                      "\"\\x\"",
                                      "\"\\u12\"",
                                      "\"t\303\244xt of more than twelve bytes\"",
                                      "\"\355\240\200\"",
                                      "\"\300\257\"",
                                      "\"\364\220\200\200\"",
                                      "\"\377\"",
                                      "\"\t\"",
                                      "\"\177\"",
                                      "\"\342\200\250\"",
                                      "\"9223372036854775807\"",
                                      "\"9223372036854775808\"",
                                      "\"[1]\"",
                                      "'a'",
                                      "\"open"};
static const char *const k_plain[] = {"1", "0", "null", "\"\"", "17"};
static const char *const k_words[] = {"true", "false", "null", "null",
                                      "null", "True",  "nul",  "undefined"};
static const char *const k_keys[] = {"i",
                                     "k",
                                     "f",
                                     "b",
                                     "s",
                                     "j",
                                     "L",
                                     "T",
                                     "C",
                                     "M",
                                     "a",
                                     "x",
                                     "y",
                                     "z",
                                     "",
                                     "records",
                                     "file_counter",
                                     "\\u0069",
                                     "t\303\244g"};
static const char *const k_blanks[] = {"", "", "", "", "", "", " ", "\n", "\t \r\n", "\v", "/* */"};

static void value_put(struct text *t, uint32_t depth);

static void blank_put(struct text *t)
{
    if (next(t, 8) == 0) {
        put(t, PICK(t, k_blanks));
    }
}

static void key_put(struct text *t)
{
    put(t, "\"");
    put(t, PICK(t, k_keys));
    put(t, "\"");
    blank_put(t);
    put(t, next(t, 300) == 0 ? "=" : ":");
    blank_put(t);
}

static void object_put(struct text *t, uint32_t depth, uint32_t n)
{
    put(t, "{");
    for (uint32_t i = 0; i < n; i++) {
        put(t, i > 0 ? "," : "");
        blank_put(t);
        key_put(t);
        value_put(t, depth + 1);
    }
    put(t, next(t, 300) == 0 ? ",}" : "}");
}

static void list_put(struct text *t, uint32_t depth)
{
    const uint32_t n = next(t, 4);

    put(t, "[");
    for (uint32_t i = 0; i < n; i++) {
        put(t, i > 0 ? "," : "");
        value_put(t, depth + 1);
        blank_put(t);
    }
    put(t, next(t, 300) == 0 ? ",]" : "]");
}

static void deep_put(struct text *t)
{
    const uint32_t n = next(t, 2) == 0 ? 60 + next(t, 8) : 120 + next(t, 12);

    for (uint32_t i = 0; i < n; i++) {
        put(t, "[");
    }
    for (uint32_t i = 0; i < n; i++) {
        put(t, "]");
    }
}

static void value_put(struct text *t, uint32_t depth)
{
    const uint32_t which = next(t, depth > 6 ? 60 : 100);

    if (which < 24) { /* mostly what is fine anywhere */
        put(t, next(t, 4) > 0 ? PICK(t, k_plain) : PICK(t, k_words));
    } else if (which < 42) {
        const size_t good = 24; /* the first ones are JSON */
        put(t, next(t, 8) > 0 ? k_numbers[next(t, (uint32_t)good)] : PICK(t, k_numbers));
    } else if (which < 60) {
        put(t, next(t, 8) > 0 ? k_texts[next(t, 17)] : PICK(t, k_texts));
    } else if (which < 76) {
        list_put(t, depth);
    } else if (which < 98) {
        object_put(t, depth, next(t, 4));
    } else {
        deep_put(t);
    }
}

/* A column that is declared mostly gets what it takes, or nearly no text would be read. */
static void cell_put(struct text *t, uint32_t key)
{
    static const char *const fits[][6] = {
        {"1", "-5", "\"7\"", "null", "1e3", "9223372036854775807"},
        {"1", "-5", "\" 7\"", "2147483647", "\"\"", "null"},
        {"1.5", "3", "\".5\"", "5e-324", "\"-1e5\"", "null"},
        {"true", "false", "1", "\"Yes\"", "\"off\"", "null"},
        {"1.10", "\"a\"", "true", "{\"a\": [1 , 2]}", "[]", "null"},
        {"1.10", "\"a\"", "[null]", "{\"a\":{}}", "true", "1"},
        {"[1,2]", "[]", "[null,\"7\"]", "null", "\"\"", "[9007199254740993]"},
        {"[\"a\",1]", "[null]", "[{}]", "[[\"\"]]", "[]", "null"},
        {"{\"a\":1,\"b\":[1]}", "{}", "{\"b\":[null,{}]}", "null", "{\"a\":\"7\"}", "{\"a\":null}"},
        {"{\"x\":1.5}", "{}", "{\"\":\"1e3\",\"y\":null}", "null", "[[\"k\",1]]", "{\"z\":7}"}};

    if (key < sizeof fits / sizeof fits[0] && next(t, 60) > 0) {
        put(t, fits[key][next(t, 6)]);
    } else if (key < sizeof fits / sizeof fits[0]) {
        value_put(t, 2);
    } else {
        value_put(t, next(t, 3) > 0 ? 7 : 2);
    }
}

static void records_put(struct text *t)
{
    const uint32_t n = next(t, 5);

    put(t, "[");
    for (uint32_t i = 0; i < n; i++) {
        put(t, i > 0 ? "," : "");
        if (next(t, 60) == 0) {
            value_put(t, 2);
            continue;
        }
        put(t, "{");
        const uint32_t n_keys = next(t, 7);
        for (uint32_t k = 0; k < n_keys; k++) {
            const uint32_t key = next(t, sizeof k_keys / sizeof k_keys[0]);
            put(t, k > 0 ? "," : "");
            blank_put(t);
            put(t, "\"");
            put(t, k_keys[key]);
            put(t, "\":");
            cell_put(t, key);
        }
        put(t, "}");
    }
    put(t, "]");
}

static void text_make(struct text *t, uint64_t number)
{
    t->random = number * UINT64_C(0x2545f4914f6cdd1d);
    t->len = 0;
    put(t, next(t, 3) == 0 ? "1" : "0"); /* columns are declared, or none */
    blank_put(t);
    if (next(t, 3) > 0) {
        records_put(t);
    } else {
        put(t, "{\"records\":");
        records_put(t);
        put(t, next(t, 2) == 0 ? "}" : ",\"file_counter\":7}");
    }
    blank_put(t);
    for (uint32_t n = next(t, 3) == 0 ? 1 + next(t, 3) : 0; n > 0 && t->len > 2; n--) {
        static const char bytes[] = "{}[],:\"\\ 0179eE+-.nult\n\xff\xc3";
        const size_t at = 1 + next(t, (uint32_t)t->len - 1);
        const uint32_t how = next(t, 3);
        if (how == 0) {
            t->data[at] = bytes[next(t, sizeof bytes)]; /* with its NUL */
        } else if (how == 1) {
            memmove(t->data + at, t->data + at + 1, t->len - at - 1);
            t->len--;
        } else {
            t->len = at;
        }
    }
}

static char crash_message[64];

static void on_crash(int number)
{
    if (write(STDERR_FILENO, crash_message, strlen(crash_message)) < 0) {
        _exit(1);
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

int main(int argc, char **argv)
{
    static struct text t;

    if (argc < 3) {
        (void)fprintf(stderr, "usage: gen_records FIRST COUNT [--show]\n");
        return 2;
    }
    const uint64_t first = strtoull(argv[1], NULL, 10);
    const uint64_t n = strtoull(argv[2], NULL, 10);
    (void)signal(SIGABRT, on_crash);
    (void)signal(SIGSEGV, on_crash);
    for (uint64_t i = first; i < first + n; i++) {
        text_make(&t, i);
        (void)snprintf(crash_message, sizeof crash_message, "gen_records: text %" PRIu64 "\n", i);
        if (argc > 3) {
            (void)fwrite(t.data, 1, t.len, stdout);
            (void)fflush(stdout);
        }
        char *exact = malloc(t.len);
        FUZZ_CHECK(exact != NULL, "out of memory");
        memcpy(exact, t.data, t.len);
        LLVMFuzzerTestOneInput((const uint8_t *)exact, t.len);
        free(exact);
    }
    (void)printf("%" PRIu64 " texts are read, or refused, as jansson does; %zu became columns\n", n,
                 records_peer_n_read);
    return records_peer_n_read > n / 10 ? 0 : 1; /* else the texts are no test */
}
