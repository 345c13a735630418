/* Values written in other ways: decimal commas, thousands, formats of dates, words, blanks around. */
#include "csv_rig.h"

static struct dn_csv_options european(void)
{
    static const struct dn_csv_column_text dates[] = {{NULL, "%d.%m.%Y"}};
    struct dn_csv_options o = rig_options();

    o.delimiter = ';';
    o.decimal = ',';
    o.thousands = ".";
    o.date_formats = dates;
    o.n_date_formats = 1;
    return o;
}

/* Values of these types are compared with other readers' in tests/interop. */
static void expect_types(const char *text, const struct dn_csv_options *o, const char *types)
{
    const char *path = rig_file("a.csv", text);
    struct rig_result got;

    rig_read(&path, 1, o, false, &got);
    if (got.status != DN_OK) {
        fail_msg("%s", got.error.message);
    }
    assert_string_equal(got.types, types);
    rig_free(&got);
}

static void test_numbers(void **state)
{
    struct dn_csv_options o = european();

    (void)state;
    rig_expect_text("d;x;n\n31.01.2024;1.234,5;7\n01.02.2024;-0,5;1.200\n", &o, NULL, "tdD g l",
                    "d19753|f0x1.34ap+10|i7\nd19754|f-0x1p-1|i1200\n");
    rig_expect_text("a;b;c;d\n1.5;1,5;12.34;0.123\n1,5;1.5;7;1\n", &o, NULL, "vu vu vu vu",
                    "s1.5|s1,5|s12.34|s0.123\ns1,5|s1.5|s7|s1\n");
    rig_expect_text("a;b\n\"1.234\";nan\n1;1,5\n", &o, NULL, "l g", "i1234|fnan\ni1|f0x1.8p+0\n");
    expect_types("a;b\n18.446.744.073.709.551.615;1.001,999999999999999785\n1;2,5\n", &o,
                 "L d:38,18");
    static const struct dn_csv_column_type types[] = {
        {"a", "int32", true}, {"b", "decimal(12,2)", true}, {"c", "float64", true}};
    o.types = types;
    o.n_types = 3;
    expect_types("a;b;c\n 1.234 ;+1.234,50;05\n-2.147.483.648;,5;7\n", &o, "i d:12,2 g");
    const char *path = rig_file("a.csv", "a;b;c\n1;1,5;1.5\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "'1.5' is not a value of type float64 with the decimal point ',' and '.' "
                     "between thousands; ");
    path = rig_file("a.csv", "a;b;c\n0.123;1;1\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'0.123' is not a value of type int32");
}

/* In every column, quoted, in the reader's fast loops as well: those do not see such numbers. */
static void test_where_a_comma_separates_fields(void **state)
{
    struct dn_csv_options o = rig_options();

    (void)state;
    o.thousands = ",";
    rig_expect_text("a,b\n999,x\n\"1,000\",y\n\"1,234,567\",z\n", &o, NULL, "l vu",
                    "i999|sx\ni1000|sy\ni1234567|sz\n");
    rig_expect_text("a,b\n999,x\n\"1000\",y\n\"1001\",z\n", &o, NULL, "vu vu",
                    "s999|sx\ns1000|sy\ns1001|sz\n");
}

static void test_formats(void **state)
{
    static const struct dn_csv_column_text dates[] = {
        {"", "%d/%m/%Y"}, {"us", "%m/%d/%Y"}, {"us", "%b %e, %Y"}, {"", "%Y-%m-%d"}};
    static const struct dn_csv_column_text times[] = {{"t", "%I:%M %p"}};
    static const struct dn_csv_column_text stamps[] = {{"ts", "%d.%m.%Y %H:%M"},
                                                       {"z", "%Y%m%d%H%M%S%z"}};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.date_formats = dates;
    o.n_date_formats = 4;
    o.time_formats = times;
    o.n_time_formats = 1;
    o.timestamp_formats = stamps;
    o.n_timestamp_formats = 2;
    expect_types("d,us,t,ts,z\n31/01/2024,01/31/2024,1:30 PM,31.01.2024 10:11,20240131101112Z\n"
                 "2024-02-01,\"Feb  1, 2024\",12:00 am,1.2.2024 0:00,20240201000000+0100\n",
                 &o, "tdD tdD ttu tsu: tsu:UTC");
    expect_types("d,us,t,ts,z\n31/01/2024,31/01/2024,13:30:00,2024-01-31 10:11,x\n", &o,
                 "tdD vu vu vu vu");
    static const struct dn_csv_column_type types[] = {{"d", "date", true},
                                                      {"ts", "timestamp[ms]", true}};
    o.types = types;
    o.n_types = 2;
    const char *path = rig_file("a.csv", "d,us,t,ts,z\n2024-02-30,,,,\n");
    rig_expect_error(
        &path, 1, &o, DN_ERR_TYPE,
        "'2024-02-30' is not a value of type date in the format %d/%m/%Y or another one");
    path = rig_file("a.csv", "d,us,t,ts,z\n2024-02-28,,,2024-02-28 00:00,\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "in the format %d.%m.%Y %H:%M; ");
    path = rig_file("a.csv", "d,us,t,ts\n2024-02-28,,,\n");
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID,
                     "the option timestamp_format names the column \"z\"");
}

/* What has the shape of one format, but is a 31st month or a 30th hour in it, is read in the next. */
static void test_formats_of_one_shape(void **state)
{
    static const struct dn_csv_column_text dates[] = {{"", "%d/%m/%Y"}, {"", "%m/%d/%Y"}};
    static const struct dn_csv_column_text times[] = {{"", "%H:%M"}, {"", "%M:%H"}};
    static const struct dn_csv_column_text stamps[] = {{"", "%Y%m%d%H%M%S"}};
    static const struct dn_csv_column_type types[] = {{"d", "date", true}, {"x", "float64", true}};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.date_formats = dates;
    o.n_date_formats = 2;
    o.time_formats = times;
    o.n_time_formats = 2;
    expect_types("d,t\n31/01/2024,12:30\n01/31/2024,30:12\n02/01/2024,12:12\n", &o, "tdD ttu");
    expect_types("d,t\n31/31/2024,30:30\n", &o, "vu vu");
    o.types = types;
    o.n_types = 2;
    o.thousands = "'";
    rig_expect_text("d,x\n01/31/2024, inf \n31/01/2024,1'000.5\n", &o, "d|x", "tdD g",
                    "d19753|finf\nd19753|f0x1.f44p+9\n");
    const char *path = rig_file("a.csv", "d,x\n31/31/2024,\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "'31/31/2024' is not a value of type date in the format %d/%m/%Y or another");

    o = rig_options();
    o.timestamp_formats = stamps;
    o.n_timestamp_formats = 1;
    expect_types("t,i\n15821010091520,15821010091520\n99991231235959,7\n", &o, "tsu: l");
}

static void test_what_is_said_without_options(void **state)
{
    static const struct dn_csv_column_type types[] = {
        {"d", "date", true}, {"x", "float64", true}, {"t", "time", true}, {"s", "timestamp", true}};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.delimiter = ';';
    o.types = types;
    o.n_types = 4;
    const char *path = rig_file("a.csv", "d;x;t;s\n31.01.2024;;;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "but would be one with the option date_format '%d.%m.%Y'; ");
    path = rig_file("a.csv", "d;x;t;s\n;1,5;;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "but would be a number with the option decimal ','; ");
    path = rig_file("a.csv", "d;x;t;s\n;1.234,5;;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "with the option decimal ',' and the option thousands '.'; ");
    path = rig_file("a.csv", "d;x;t;s\n;1,234,567;;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "a number with the option thousands ','; ");
    path = rig_file("a.csv", "d;x;t;s\n;;1:30 pm;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "one with the option time_format '%I:%M %p'; ");
    path = rig_file("a.csv", "d;x;t;s\n;;;31/01/2024 10:11\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "the option timestamp_format '%d/%m/%Y %H:%M'; ");
    path = rig_file("a.csv", "d;x;t;s\n;x;;\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE, "'x' is not a value of type float64; ");
}

/* A number that another form would not change is out of its type's range, not of another form. */
static void test_what_is_said_of_numbers(void **state)
{
    static const struct {
        const char *type;
        const char *value;
        const char *said;
    } cases[] = {
        {"uint64", "-1", "'-1' is not a value of type uint64; "},
        {"int8", "128", "'128' is not a value of type int8; "},
        {"int64", "9223372036854775808", "08' is not a value of type int64; "},
        {"int64", "1e3", "'1e3' is not a value of type int64; "},
        {"decimal(3,1)", "-0.25", "'-0.25' is not a value of type decimal(3, 1); "},
        {"int64", "1.5", "'1.5' is not a value of type int64; "},
        {"int64", "1.234", "with the option decimal ',' and the option thousands '.'; "},
        {"uint8", "1,5", "with the option decimal ','; "},
        {"uint8", "-1,234", "with the option thousands ','; "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct dn_csv_column_type type = {"x", cases[i].type, true};
        struct dn_csv_options o = rig_options();
        char text[64];
        o.delimiter = ';';
        o.types = &type;
        o.n_types = 1;
        (void)snprintf(text, sizeof(text), "x;y\n%s;\n", cases[i].value);
        const char *path = rig_file("a.csv", text);
        rig_expect_error(&path, 1, &o, DN_ERR_TYPE, cases[i].said);
    }
}

/* Whole numbers that could as well be dates are dates if all of them are. */
static void test_dates_that_are_numbers(void **state)
{
    static const struct dn_csv_column_text dates[] = {{NULL, "%Y%m%d"}};
    static const char *const one[] = {"1"};
    static const char *const zero[] = {"0"};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.date_formats = dates;
    o.n_date_formats = 1;
    o.true_values = one;
    o.n_true_values = 1;
    o.false_values = zero;
    o.n_false_values = 1;
    expect_types("d,n,b,i,x\n20240131,20240131,1,1,20240131\n20240201,99999999,0,0,1.5\n"
                 ",20240132,1,2,\n",
                 &o, "tdD l b l g");
    expect_types("a,b\n20240131,20240131\nx,2024-01-31\n", &o, "vu vu");
}

static void test_words(void **state)
{
    static const char *const yes[] = {"Y", "yes"};
    static const char *const no[] = {"N"};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.true_values = yes;
    o.n_true_values = 2;
    o.false_values = no;
    o.n_false_values = 1;
    rig_expect_text("a,b,c\nY,true,y\n\"N\",false,n\n,true,y\nyes,,y\n", &o, NULL, "b vu vu",
                    "b1|strue|sy\nb0|sfalse|sn\n.|strue|sy\nb1|.|sy\n");
    static const struct dn_csv_column_type types[] = {{"a", "bool", true}};
    o.types = types;
    o.n_types = 1;
    const char *path = rig_file("a.csv", "a\ntrue\n");
    rig_expect_error(&path, 1, &o, DN_ERR_TYPE,
                     "'true' is not a value of type bool with the words");
}

static void test_trim(void **state)
{
    static const char *const nulls[] = {"NA"};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.trim = true;
    o.null_values = nulls;
    o.n_null_values = 1;
    rig_expect_text(" a , b,c\t, d \n 1 , x y , 1.5,  \n2, \"q\" ,\t,2024-01-01 \n NA ,NA , 2 , \n",
                    &o, "a|b|c|d", "l vu g tdD",
                    "i1|sx y|f0x1.8p+0|.\ni2|sq|.|d19723\n.|.|f0x1p+1|.\n");
    o.strict = true;
    rig_expect_text("a,b\n1, \"x, y\" \n 2 ,\t\"p\"\"q\nr\"\n \"3\" ,  \"\"\t\n", &o, NULL, "l vu",
                    "i1|sx, y\ni2|sp\"q\nr\ni3|s\n");
    o.strict = false;
    /* text behind a closing quote is that, blanks before it or not, and swallows no rows */
    rig_expect_text("a,b\r\n\"1\" ,\"x\" y\r\n2, \"z\" \r\n", &o, NULL, "l vu", "i1|sx y\ni2|sz\n");
    rig_expect_text("a,b\n1,\"x\" \"y\n2,z\"\n", &o, NULL, "l vu", "i1|sx \"y\ni2|sz\"\n");
    /* what begins a delimiter is no blank */
    o.delimiter = '\t';
    rig_expect_text("a\tb\n\"p\" \t\n\"p\nq\" \t2\n \t \"x\" \n", &o, NULL, "vu vu",
                    "sp|.\nsp\nq|s2\n.|sx\n");
    o.delimiter = 0;
    o.trim = false;
    rig_expect_text(" a , b\n 1 , x\n", &o, " a | b", "vu vu", "s 1 |s x\n");
}

/* A run of blanks is looked at once: for each of them anew these would take a quarter of an hour. */
static void test_trim_many_blanks(void **state)
{
    struct rig_text text = {0};
    struct dn_csv_options o = rig_options();

    (void)state;
    o.trim = true;
    rig_append(&text, "a,b\n", 4);
    rig_fill(&text, " ", 1 << 20);
    rig_append(&text, "\"x\"", 3);
    rig_fill(&text, " \t", 1 << 20);
    rig_append(&text, ",1\n", 3);
    rig_expect_text(text.data, &o, NULL, "vu l", "sx|i1\n");
    free(text.data);
}

static void test_options_that_are_wrong(void **state)
{
    static const struct dn_csv_column_text bad[] = {{NULL, "%d.%m.%Q"}};
    static const char *const word[] = {"x"};
    const char *path = rig_file("a.csv", "a\n1\n");
    struct dn_csv_options o = rig_options();

    (void)state;
    o.date_formats = bad;
    o.n_date_formats = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID,
                     "the option date_format: '%d.%m.%Q' is no such format: %Q is not known");
    o = rig_options();
    o.thousands = ".";
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "decimal and thousands are both '.'");
    o.thousands = "..";
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the option thousands must be one character");
    o.thousands = "3";
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the option thousands must be one character");
    o.thousands = "";
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "the option thousands must be one character");
    o.thousands = NULL;
    o.decimal = '-';
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID,
                     "the option decimal must be one ASCII character");
    o = rig_options();
    o.true_values = word;
    o.n_true_values = 1;
    o.false_values = word;
    o.n_false_values = 1;
    rig_expect_error(&path, 1, &o, DN_ERR_INVALID, "true_values and false_values both have 'x'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_where_a_comma_separates_fields),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_formats_of_one_shape),
        cmocka_unit_test(test_what_is_said_without_options),
        cmocka_unit_test(test_what_is_said_of_numbers),
        cmocka_unit_test(test_dates_that_are_numbers),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_trim_many_blanks),
        cmocka_unit_test(test_options_that_are_wrong),
    };
    return cmocka_run_group_tests(tests, rig_make_dir, rig_remove_dir);
}
