/* Statistics of pages and chunks against their values.  Statistics, SizeStatistics and ColumnOrder in parquet.thrift. */
#include "parquet/verify/check.h"

#include <inttypes.h>
#include <stdio.h>

/* A bound may be shorter than the value it stands for: a prefix below it, a prefix with its end raised above it. */
static bool is_cut(struct dn_span bound, struct dn_span value, bool is_max)
{
    size_t same = 0;

    while (same < bound.len && same < value.len && bound.data[same] == value.data[same]) {
        same++;
    }
    return is_max ? bound.len <= value.len && bound.len - same <= 4 : same == bound.len;
}

static bool is_zero(const struct dn_pv_column *column, struct dn_span v)
{
    uint8_t any = v.len > 0 ? (uint8_t)(v.data[v.len - 1] & 0x7f) : 1;

    for (size_t i = 0; i + 1 < v.len; i++) {
        any |= v.data[i];
    }
    return column->is_float && any == 0;
}

/* -0 as a minimum and +0 as a maximum, so that readers find both. */
static void check_zero(struct dn_pv_chunk_check *c, struct dn_span bound, bool is_max,
                       const char *rule, const char *what)
{
    if (c->column->total_order || !is_zero(c->column, bound)) {
        return;
    }
    if ((bound.data[bound.len - 1] >= 0x80) == is_max) {
        dn_pv_note(c->findings, &c->place, rule, "%s is %s; it should be %s", what,
                   is_max ? "-0" : "+0", is_max ? "+0" : "-0");
    }
}

static bool is_loose(const struct dn_pv_column *column, struct dn_span bound, struct dn_span actual,
                     bool is_max)
{
    return column->order != DN_PV_ORDERED_BYTES || !is_cut(bound, actual, is_max);
}

void dn_pv_bound_check(struct dn_pv_chunk_check *c, const struct dn_pv_tally *t,
                       struct dn_span bound, bool is_max, const char *rule, const char *what)
{
    const struct dn_pv_column *column = c->column;
    const struct dn_span actual = dn_buffer_span(is_max ? &t->max : &t->min);
    const char *fault = dn_pv_value_fault(column, bound);
    char shown[DN_PV_SHOWN_SIZE];
    char other[DN_PV_SHOWN_SIZE];

    dn_pv_show(shown, column, bound);
    if (fault != NULL) {
        dn_pv_error(c->findings, &c->place, rule, "%s, %s, %s", what, shown, fault);
        return;
    }
    if (dn_pv_is_nan(column, bound)) {
        if (t->has_bounds || !column->total_order) {
            dn_pv_note(c->findings, &c->place, rule, "%s is NaN, and readers ignore it", what);
        }
        return;
    }
    if (!t->has_bounds) {
        return; /* said with the counts */
    }
    const int order = dn_pv_compare(column, bound, actual);
    if (is_max ? order < 0 : order > 0) {
        dn_pv_error(c->findings, &c->place, rule, "%s is %s, and there is a value %s", what, shown,
                    dn_pv_show(other, column, actual));
    } else if (order != 0 && is_loose(column, bound, actual, is_max)) {
        dn_pv_note(c->findings, &c->place, rule, "%s is %s, and the %s value is %s", what, shown,
                   is_max ? "greatest" : "least", dn_pv_show(other, column, actual));
    }
    check_zero(c, bound, is_max, rule, what);
}

/* The flag of a bound: it is a value that is there. */
static void check_exact(struct dn_pv_chunk_check *c, const struct dn_pv_tally *t,
                        struct dn_span bound, bool is_max)
{
    const struct dn_span actual = dn_buffer_span(is_max ? &t->max : &t->min);
    char other[DN_PV_SHOWN_SIZE];

    if (t->has_bounds && dn_pv_value_fault(c->column, bound) == NULL &&
        !dn_pv_is_nan(c->column, bound) && dn_pv_compare(c->column, bound, actual) != 0) {
        dn_pv_error(c->findings, &c->place, "statistics.exact",
                    "%s is said to be exact, and the %s value is %s",
                    is_max ? "max_value" : "min_value", is_max ? "greatest" : "least",
                    dn_pv_show(other, c->column, actual));
    }
}

/* min and max of old were compared as signed numbers; of bytes nobody knows how. */
static bool old_order_is_known(const struct dn_pv_column *column)
{
    switch (column->order) {
    case DN_PV_ORDERED_BOOL:
    case DN_PV_ORDERED_I32:
    case DN_PV_ORDERED_I64:
    case DN_PV_ORDERED_F32:
    case DN_PV_ORDERED_F64:
        return !column->total_order;
    default:
        return false;
    }
}

static void check_bounds(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                         const struct dn_pv_tally *t)
{
    const struct {
        const struct dn_span *bound;
        const char *name;
        unsigned id;
        bool is_max;
        bool is_old;
    } bounds[] = {{&s->min_value, "min_value", DN_PV_STATS_MIN_VALUE, false, false},
                  {&s->max_value, "max_value", DN_PV_STATS_MAX_VALUE, true, false},
                  {&s->min, "min", DN_PV_STATS_MIN, false, true},
                  {&s->max, "max", DN_PV_STATS_MAX, true, true}};

    for (size_t i = 0; i < sizeof bounds / sizeof bounds[0]; i++) {
        const bool skip = bounds[i].is_old ? !old_order_is_known(c->column)
                                           : c->column->order == DN_PV_ORDERED_NOT;
        if (!dn_pv_has(&s->head, bounds[i].id) || skip) {
            continue;
        }
        if (t->n_values == 0 && bounds[i].bound->len > 0) {
            dn_pv_error(c->findings, &c->place, "statistics.bounds",
                        "%s is set, and there are no values", bounds[i].name);
            continue;
        }
        if (t->n_values > 0) {
            dn_pv_bound_check(c, t, *bounds[i].bound, bounds[i].is_max, "statistics.bounds",
                              bounds[i].name);
        }
    }
    if (dn_pv_has(&s->head, DN_PV_STATS_MIN_EXACT) && s->min_exact &&
        dn_pv_has(&s->head, DN_PV_STATS_MIN_VALUE) && c->column->order != DN_PV_ORDERED_NOT) {
        check_exact(c, t, s->min_value, false);
    }
    if (dn_pv_has(&s->head, DN_PV_STATS_MAX_EXACT) && s->max_exact &&
        dn_pv_has(&s->head, DN_PV_STATS_MAX_VALUE) && c->column->order != DN_PV_ORDERED_NOT) {
        check_exact(c, t, s->max_value, true);
    }
}

static void check_nulls(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                        const struct dn_pv_tally *t)
{
    const uint64_t nulls = t->n_levels - t->n_values;

    if (!dn_pv_has(&s->head, DN_PV_STATS_NULL_COUNT) || (uint64_t)s->null_count == nulls) {
        return;
    }
    if (c->column->leaf.max_rep > 0 && s->null_count >= 0 && (uint64_t)s->null_count < nulls) {
        dn_pv_note(c->findings, &c->place, "statistics.null_count",
                   "it is %" PRId64 "; %" PRIu64 " with the lists that are empty or null",
                   s->null_count, nulls);
        return;
    }
    dn_pv_error(c->findings, &c->place, "statistics.null_count",
                "it is %" PRId64 ", and there are %" PRIu64, s->null_count, nulls);
}

static void check_nans(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                       const struct dn_pv_tally *t)
{
    const bool said = dn_pv_has(&s->head, DN_PV_STATS_NAN_COUNT);
    const bool bounds =
        dn_pv_has(&s->head, DN_PV_STATS_MIN_VALUE) || dn_pv_has(&s->head, DN_PV_STATS_MAX_VALUE);

    if (said && (!c->column->is_float || (uint64_t)s->nan_count != t->n_nan)) {
        dn_pv_error(c->findings, &c->place, "statistics.nan_count",
                    "it is %" PRId64 ", and there are %" PRIu64, s->nan_count, t->n_nan);
    }
    if (said && bounds && !c->column->total_order && t->n_values > 0 && t->n_nan == t->n_values) {
        dn_pv_error(c->findings, &c->place, "statistics.bounds",
                    "there are bounds, and every value is NaN");
    }
}

static void check_distinct(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                           const struct dn_pv_tally *t, bool is_chunk)
{
    const uint64_t in_pages = (uint64_t)c->pages[DN_PQ_DATA_PAGE][DN_PQ_RLE_DICTIONARY] +
                              c->pages[DN_PQ_DATA_PAGE][DN_PQ_PLAIN_DICTIONARY] +
                              c->pages[DN_PQ_DATA_PAGE_V2][DN_PQ_RLE_DICTIONARY] +
                              c->pages[DN_PQ_DATA_PAGE_V2][DN_PQ_PLAIN_DICTIONARY];
    uint64_t n_pages = 0;

    if (!dn_pv_has(&s->head, DN_PV_STATS_DISTINCT_COUNT)) {
        return;
    }
    for (int e = 0; e < DN_PV_MOST_ENCODINGS; e++) {
        n_pages += (uint64_t)c->pages[DN_PQ_DATA_PAGE][e] + c->pages[DN_PQ_DATA_PAGE_V2][e];
    }
    const uint64_t most =
        is_chunk && in_pages == n_pages && c->has_entries ? c->n_used : t->n_values;
    if (s->distinct_count < 0 || (uint64_t)s->distinct_count > most ||
        (s->distinct_count == 0 && t->n_values > 0)) {
        dn_pv_error(c->findings, &c->place, "statistics.distinct_count",
                    "it is %" PRId64 ", and there are at most %" PRIu64, s->distinct_count, most);
    } else if (is_chunk && in_pages == n_pages && c->has_entries &&
               (uint64_t)s->distinct_count < most) {
        dn_pv_note(c->findings, &c->place, "statistics.distinct_count",
                   "it is %" PRId64 ", and %" PRIu64 " entries of the dictionary are used",
                   s->distinct_count, most);
    }
}

void dn_pv_statistics_check(struct dn_pv_chunk_check *c, const struct dn_pv_statistics *s,
                            const struct dn_pv_tally *t, bool is_chunk)
{
    if (!t->is_counted) {
        return;
    }
    check_nulls(c, s, t);
    check_nans(c, s, t);
    check_distinct(c, s, t, is_chunk);
    check_bounds(c, s, t);
}

void dn_pv_unencoded_check(struct dn_pv_chunk_check *c, int64_t said, uint64_t counted,
                           const char *rule)
{
    const bool is_delta = c->pages[DN_PQ_DATA_PAGE][DN_PQ_DELTA_BYTE_ARRAY] > 0 ||
                          c->pages[DN_PQ_DATA_PAGE_V2][DN_PQ_DELTA_BYTE_ARRAY] > 0;

    if ((uint64_t)said == counted) {
        return;
    }
    if (is_delta && said >= 0 && (uint64_t)said < counted) {
        dn_pv_note(c->findings, &c->place, rule,
                   "unencoded_byte_array_data_bytes is %" PRId64 ", and the values have %" PRIu64,
                   said, counted);
        return;
    }
    dn_pv_error(c->findings, &c->place, rule,
                "unencoded_byte_array_data_bytes is %" PRId64 ", and the values have %" PRIu64,
                said, counted);
}

void dn_pv_histogram_check(struct dn_pv_chunk_check *c, const int64_t *said,
                           const struct dn_pv_levels *counted, int32_t max, const char *rule,
                           const char *what)
{
    for (int32_t i = 0; i <= max; i++) {
        if ((uint64_t)said[i] != counted->counts[i]) {
            dn_pv_error(c->findings, &c->place, rule,
                        "%" PRId64 " %s levels %" PRId32 " are said and %" PRIu64 " are there",
                        said[i], what, i, counted->counts[i]);
            return;
        }
    }
}
