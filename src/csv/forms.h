/** How the values of a field are written, where that is not the usual way: its own texts for null, and what else the options say. */
#ifndef DN_CSV_FORMS_H
#define DN_CSV_FORMS_H

#include "csv/columns.h"

struct dn_csv_forms {
    struct dn_csv_nulls nulls; /**< those of every column and of this one */
};

/** The texts that mean null in a field: its own, or those of every column. */
static inline const struct dn_csv_nulls *dn_csv_nulls_of(const struct dn_csv_forms *forms,
                                                         const struct dn_csv_nulls *nulls)
{
    return forms != NULL ? &forms->nulls : nulls;
}

#endif
