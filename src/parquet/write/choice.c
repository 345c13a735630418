#include "parquet/write/choice.h"

#include "parquet/encoding/dictionary.h"

/* e^-x for x >= 0, good to six digits. */
static double exp_minus(double x)
{
    if (x > 40) {
        return 0;
    }
    const double y = x / 1024;
    double e = 1 - y + y * y / 2 - y * y * y / 6;
    for (int i = 0; i < 10; i++) {
        e *= e;
    }
    return e;
}

/*
 * n draws from a pool of S values find S (1 - e^(-n/S)) different ones.  Solve for S what was seen, then look ahead.
 * Clustered values (sorted keys) look like a small pool; that only delays the decision, which is exact at the end.
 */
static double project_distinct(double n, double n_expected, double n_distinct)
{
    const double seen = n_distinct / n;
    double low = 0;
    double high = 64; /* n / S */

    if (n_distinct >= n) {
        return n_expected;
    }
    for (int i = 0; i < 50; i++) {
        const double x = (low + high) / 2;
        if (1 - exp_minus(x) > seen * x) { /* more would have been seen: the pool is smaller */
            low = x;
        } else {
            high = x;
        }
    }
    const double pool = n / high;
    const double distinct = pool * (1 - exp_minus(n_expected / pool));
    return distinct < n_distinct ? n_distinct : distinct;
}

/*
 * Skewed values look like a small pool for long.  With three counts, at n / 16, n / 4 and n values, the growth itself is
 * extrapolated: if four times the values gave g1 and then g2 times the distinct ones, the next factor is g2 (g2 / g1)^2,
 * for growth that slows down does so faster and faster.
 */
static double extrapolate_distinct(double n, double n_expected, const struct dn_pq_growth *growth)
{
    double distinct = (double)growth->n_distinct;
    double before = (double)growth->n_distinct_at_quarter / (double)growth->n_distinct_at_sixteenth;
    double factor = distinct / (double)growth->n_distinct_at_quarter;

    while (n < n_expected) {
        double next = factor * (factor / before) * (factor / before);
        next = next < 1 ? 1 : next > 4 ? 4 : next;
        if (n * 4 > n_expected) { /* a part of a step */
            return distinct + distinct * (next - 1) * (n_expected - n) / (n * 3);
        }
        distinct *= next;
        before = factor;
        factor = next;
        n *= 4;
    }
    return distinct;
}

bool dn_pq_dictionary_pays(const struct dn_pq_growth *growth, int64_t n_expected, unsigned share)
{
    const double n = (double)growth->n;
    const double total = n_expected > growth->n ? (double)n_expected : n;
    double distinct = (double)growth->n_distinct;

    if (n_expected > growth->n) {
        distinct = growth->n_distinct_at_sixteenth > 0 ? extrapolate_distinct(n, total, growth)
                                                       : project_distinct(n, total, distinct);
    }
    const double entries = (double)growth->dictionary_bytes / (double)growth->n_distinct * distinct;
    const double ids = total * dn_pq_id_bits((uint32_t)distinct) / 8;
    const double plain = (double)growth->plain_bytes / n * total;

    return (entries + ids) * 16 < plain * share;
}
