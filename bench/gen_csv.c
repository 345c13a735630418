/*
 * Deterministic CSV for benchmarks, tests and the example.  The same shape, number of rows and seed give the same bytes.
 *
 *   gen_csv SHAPE ROWS [SEED] > file.csv
 *
 *   lineitem  the 16 columns of TPC-H lineitem; ship and commit dates as dates, receiptdate as a timestamp, comments quoted
 *             with commas and doubled quotes
 *   wide      120 numeric columns
 *   text      an id and long quoted text with line breaks
 *   narrow    three integers
 *   quoted    every field quoted
 *   orders    the example data: quotes, nulls, dates, unicode
 *   rowlike   legal quoted text whose lines look like rows of the file itself
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OUT_SIZE ((size_t)1 << 20)
#define OUT_SLACK ((size_t)64 << 10)

struct out {
    char *buf;
    size_t len;
};

static uint64_t rng_state;

/* splitmix64 (Steele, Lea, Flood 2014) */
static uint64_t rng(void)
{
    uint64_t z = (rng_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint64_t below(uint64_t n)
{
    return rng() % n;
}

static void flush(struct out *o)
{
    if (fwrite(o->buf, 1, o->len, stdout) != o->len) {
        perror("gen_csv: writing");
        exit(1);
    }
    o->len = 0;
}

static void row_end(struct out *o)
{
    o->buf[o->len++] = '\n';
    if (o->len > OUT_SIZE) {
        flush(o);
    }
}

static void put(struct out *o, const char *text)
{
    const size_t n = strlen(text);
    memcpy(o->buf + o->len, text, n);
    o->len += n;
}

static void put_char(struct out *o, char c)
{
    o->buf[o->len++] = c;
}

static void put_uint(struct out *o, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    while (n > 0) {
        put_char(o, digits[--n]);
    }
}

static void put_padded(struct out *o, uint64_t v, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        uint64_t p = 1;
        for (int k = 0; k < i; k++) {
            p *= 10;
        }
        put_char(o, (char)('0' + v / p % 10));
    }
}

static void put_int(struct out *o, int64_t v)
{
    if (v < 0) {
        put_char(o, '-');
        put_uint(o, 0 - (uint64_t)v);
    } else {
        put_uint(o, (uint64_t)v);
    }
}

/* v hundredths */
static void put_cents(struct out *o, uint64_t v)
{
    put_uint(o, v / 100);
    put_char(o, '.');
    put_padded(o, v % 100, 2);
}

/* Days since 1970-01-01 to YYYY-MM-DD (Hinnant, civil_from_days). */
static void put_date(struct out *o, int64_t days)
{
    const int64_t z = days + 719468;
    const int64_t era = z / 146097;
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int64_t day = doy - (153 * mp + 2) / 5 + 1;
    const int64_t month = mp < 10 ? mp + 3 : mp - 9;
    const int64_t year = yoe + era * 400 + (month <= 2);
    put_padded(o, (uint64_t)year, 4);
    put_char(o, '-');
    put_padded(o, (uint64_t)month, 2);
    put_char(o, '-');
    put_padded(o, (uint64_t)day, 2);
}

static void put_time(struct out *o, uint64_t seconds)
{
    put_padded(o, seconds / 3600, 2);
    put_char(o, ':');
    put_padded(o, seconds / 60 % 60, 2);
    put_char(o, ':');
    put_padded(o, seconds % 60, 2);
}

static const char *const words[] = {
    "quickly",      "final",    "regular",      "deposits", "carefully", "ironic",    "packages",
    "sleep",        "blithely", "express",      "accounts", "furiously", "pending",   "theodolites",
    "above",        "slyly",    "special",      "requests", "bold",      "foxes",     "among",
    "the",          "even",     "instructions", "silent",   "platelets", "haggle",    "across",
    "dependencies", "unusual",  "pinto",        "beans",    "along",     "asymptotes"};
#define N_WORDS (sizeof(words) / sizeof(words[0]))

/* About `len` bytes of words with some commas and, inside quotes, some doubled quotes. */
static void put_words(struct out *o, size_t len, bool in_quotes)
{
    const size_t end = o->len + len;
    while (o->len < end) {
        const uint64_t r = rng();
        put(o, words[r % N_WORDS]);
        if (in_quotes && (r >> 32) % 16 == 0) {
            put_char(o, ',');
        }
        if (in_quotes && (r >> 40) % 64 == 0) {
            put(o, " \"\"");
            put(o, words[(r >> 50) % N_WORDS]);
            put(o, "\"\"");
        }
        put_char(o, ' ');
    }
    o->len--;
}

static void gen_lineitem(struct out *o, uint64_t n_rows)
{
    static const char *const flags[] = {"R", "A", "N"};
    static const char *const instructions[] = {"DELIVER IN PERSON", "COLLECT COD", "NONE",
                                               "TAKE BACK RETURN"};
    static const char *const modes[] = {"REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"};
    uint64_t order = 0;
    uint64_t line = 0;
    uint64_t lines = 0;
    int64_t order_date = 0;

    put(o,
        "l_orderkey,l_partkey,l_suppkey,l_linenumber,l_quantity,l_extendedprice,l_discount,l_tax,l_"
        "returnflag,"
        "l_linestatus,l_shipdate,l_commitdate,l_receiptdate,l_shipinstruct,l_shipmode,l_comment\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        if (line == lines) {
            order += order % 8 == 7 ? 25 : 1; /* keys are sparse, as in TPC-H */
            line = 0;
            lines = 1 + below(7);
            order_date = 8036 + (int64_t)below(2406); /* 1992-01-02 on */
        }
        line++;
        const uint64_t part = 1 + below(2000000);
        const uint64_t quantity = 1 + below(50);
        const int64_t ship = order_date + 1 + (int64_t)below(121);
        put_uint(o, order);
        put_char(o, ',');
        put_uint(o, part);
        put_char(o, ',');
        put_uint(o, 1 + (part + i % 4 * 25001) % 100000);
        put_char(o, ',');
        put_uint(o, line);
        put_char(o, ',');
        put_uint(o, quantity);
        put_char(o, ',');
        put_cents(o, quantity * (90000 + part / 10 % 20001 + part % 1000 * 100));
        put(o, ",0.");
        put_padded(o, below(11), 2);
        put(o, ",0.");
        put_padded(o, below(9), 2);
        put_char(o, ',');
        put(o, flags[below(3)]);
        put_char(o, ',');
        put(o, ship > 9298 ? "O" : "F");
        put_char(o, ',');
        put_date(o, ship);
        put_char(o, ',');
        put_date(o, order_date + 30 + (int64_t)below(61));
        put_char(o, ',');
        put_date(o, ship + 1 + (int64_t)below(30));
        put_char(o, ' ');
        put_time(o, below(86400));
        put_char(o, ',');
        put(o, instructions[below(4)]);
        put_char(o, ',');
        put(o, modes[below(7)]);
        put(o, ",\"");
        put_words(o, 10 + below(28), true);
        put_char(o, '"');
        row_end(o);
    }
}

static void gen_wide(struct out *o, uint64_t n_rows)
{
    for (int c = 0; c < 120; c++) {
        put(o, c > 0 ? ",c" : "c");
        put_padded(o, (uint64_t)c, 3);
    }
    row_end(o);
    for (uint64_t i = 0; i < n_rows; i++) {
        for (int c = 0; c < 120; c++) {
            const uint64_t r = rng();
            if (c > 0) {
                put_char(o, ',');
            }
            switch (c % 4) {
            case 0:
                put_int(o, (int64_t)(r % 2000001) - 1000000);
                break;
            case 1:
                put_cents(o, r % 10000000);
                break;
            case 2:
                put_uint(o, r % 100);
                break;
            default:
                put_char(o, '0');
                put_char(o, '.');
                put_padded(o, r % 1000000000, 9);
            }
        }
        row_end(o);
    }
}

static void gen_text(struct out *o, uint64_t n_rows)
{
    put(o, "id,title,body,score\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        const uint64_t n_lines = 1 + below(12);
        put_uint(o, i);
        put_char(o, ',');
        put_words(o, 10 + below(40), false);
        put(o, ",\"");
        for (uint64_t k = 0; k < n_lines; k++) {
            if (k > 0) {
                put_char(o, '\n');
            }
            put_words(o, 20 + below(100), true);
        }
        put(o, "\",");
        put_cents(o, below(10000));
        row_end(o);
    }
}

static void gen_narrow(struct out *o, uint64_t n_rows)
{
    put(o, "id,key,value\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        put_uint(o, i);
        put_char(o, ',');
        put_uint(o, below(100000));
        put_char(o, ',');
        put_int(o, (int64_t)below(2000000000) - 1000000000);
        row_end(o);
    }
}

static void gen_quoted(struct out *o, uint64_t n_rows)
{
    put(o, "\"id\",\"name\",\"amount\",\"day\",\"comment\"\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        put_char(o, '"');
        put_uint(o, i);
        put(o, "\",\"");
        put_words(o, 8, false);
        put(o, "\",\"");
        put_cents(o, below(10000000));
        put(o, "\",\"");
        put_date(o, 10957 + (int64_t)below(9000));
        put(o, "\",\"");
        put_words(o, 20 + below(30), true);
        put_char(o, '"');
        row_end(o);
    }
}

static void gen_orders(struct out *o, uint64_t n_rows)
{
    static const char *const customers[] = {"Zoë Müller",
                                            "\"O'Brien, Pat\"",
                                            "\"Weiß & Söhne, GmbH\"",
                                            "José Núñez",
                                            "山田 太郎",
                                            "\"Anna \"\"Ace\"\" Ray\"",
                                            "Łukasz Żak",
                                            "\"Dunder Mifflin\nScranton\"",
                                            "Ingrid Ås",
                                            "Плетнёв Илья",
                                            "Lee",
                                            "\"Smith, Jones, & Co\"",
                                            "François L'Écuyer",
                                            "Nguyễn Thị Mai",
                                            "Ada Lovelace"};
    static const char *const countries[] = {"DE", "IE", "JP", "US", "PL", "ES", "FR", "VN", "NO"};
    static const char *const notes[] = {"",
                                        "",
                                        "",
                                        "\"\"",
                                        "\"ring the bell, twice\"",
                                        "fragile",
                                        "\"said \"\"leave it\"\"\"",
                                        "gift for 🎂",
                                        "\"two\nlines\""};

    put(o, "order_id,customer,country,order_date,shipped_at,quantity,unit_price,total,gift,note\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        const uint64_t quantity = 1 + below(20);
        const uint64_t price = 99 + below(50000);
        const int64_t day = 19723 + (int64_t)below(700); /* 2024-01-01 on */
        put_uint(o, 100001 + i);
        put_char(o, ',');
        put(o, customers[below(sizeof(customers) / sizeof(customers[0]))]);
        put_char(o, ',');
        put(o, countries[below(9)]);
        put_char(o, ',');
        put_date(o, day);
        put_char(o, ',');
        if (below(5) != 0) {
            put_date(o, day + 1 + (int64_t)below(9));
            put_char(o, 'T');
            put_time(o, below(86400));
            if (below(2) == 0) {
                put_char(o, '.');
                put_padded(o, below(1000000), 6);
            }
        }
        put_char(o, ',');
        put_uint(o, quantity);
        put_char(o, ',');
        put_cents(o, price);
        put_char(o, ',');
        put_cents(o, price * quantity);
        put_char(o, ',');
        put(o, below(10) == 0 ? "true" : "false");
        put_char(o, ',');
        put(o, notes[below(9)]);
        row_end(o);
    }
}

static void gen_rowlike(struct out *o, uint64_t n_rows)
{
    put(o, "id,text\n");
    for (uint64_t i = 0; i < n_rows; i++) {
        put_uint(o, i);
        put(o, ",\"");
        for (uint64_t k = 0; k < 3000; k++) {
            put_uint(o, k);
            put(o, ",row\n");
        }
        put_char(o, '"');
        row_end(o);
    }
}

static const struct {
    const char *name;
    void (*generate)(struct out *o, uint64_t n_rows);
} shapes[] = {{"lineitem", gen_lineitem}, {"wide", gen_wide},     {"text", gen_text},
              {"narrow", gen_narrow},     {"quoted", gen_quoted}, {"orders", gen_orders},
              {"rowlike", gen_rowlike}};

int main(int argc, char **argv)
{
    struct out o = {malloc(OUT_SIZE + OUT_SLACK), 0};

    if (argc < 3 || argc > 4 || o.buf == NULL) {
        fprintf(stderr,
                "usage: gen_csv lineitem|wide|text|narrow|quoted|orders|rowlike ROWS [SEED]\n");
        return 2;
    }
    rng_state = argc > 3 ? strtoull(argv[3], NULL, 10) : 42;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (strcmp(argv[1], shapes[i].name) == 0) {
            shapes[i].generate(&o, strtoull(argv[2], NULL, 10));
            flush(&o);
            free(o.buf);
            return fflush(stdout) == 0 ? 0 : 1;
        }
    }
    fprintf(
        stderr,
        "gen_csv: unknown shape \"%s\"; shapes: lineitem wide text narrow quoted orders rowlike\n",
        argv[1]);
    return 2;
}
