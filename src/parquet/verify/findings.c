#include "parquet/verify/findings.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_SIZE 512

void dn_pv_findings_finish(struct dn_pv_findings *f)
{
    dn_arena_finish(&f->arena);
    dn_buffer_finish(&f->list);
    *f = (struct dn_pv_findings){0};
}

static void __attribute__((format(printf, 5, 0)))
report(struct dn_pv_findings *f, const struct dn_pv_place *at, enum dn_pv_severity severity,
       const char *rule, const char *format, va_list args)
{
    struct dn_pv_finding finding = {.place = *at, .severity = severity, .rule = rule};
    char message[MESSAGE_SIZE];

    *(severity == DN_PV_ERROR ? &f->n_errors : &f->n_notes) += 1;
    if (f->list.len / sizeof(finding) >= DN_PV_MOST_FINDINGS) {
        return;
    }
    (void)vsnprintf(message, sizeof message, format, args);
    finding.message = dn_arena_strdup(&f->arena, message);
    if (finding.message == NULL ||
        dn_buffer_append(&f->list, &finding, sizeof finding, NULL) != DN_OK) {
        f->lost = true;
    }
}

void dn_pv_error(struct dn_pv_findings *f, const struct dn_pv_place *at, const char *rule,
                 const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(f, at, DN_PV_ERROR, rule, format, args);
    va_end(args);
}

void dn_pv_note(struct dn_pv_findings *f, const struct dn_pv_place *at, const char *rule,
                const char *format, ...)
{
    va_list args;

    va_start(args, format);
    report(f, at, DN_PV_NOTE, rule, format, args);
    va_end(args);
}
