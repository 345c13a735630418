#include "store/http/curl.h"

#include "base/library.h"

enum dn_status dn_curl_load(const struct dn_curl **out, struct dn_error *err)
{
    static const char *const names[] = {
        "curl_global_init",     "curl_easy_init",        "curl_easy_cleanup",
        "curl_easy_setopt",     "curl_easy_getinfo",     "curl_easy_pause",
        "curl_easy_strerror",   "curl_multi_init",       "curl_multi_cleanup",
        "curl_multi_setopt",    "curl_multi_add_handle", "curl_multi_remove_handle",
        "curl_multi_perform",   "curl_multi_poll",       "curl_multi_wakeup",
        "curl_multi_info_read", "curl_slist_append",     "curl_slist_free_all",
    };
    static const struct dn_library library = {
        .soname = "libcurl.so.4",
        .purpose = "s3:// and the web",
        .package = "libcurl4",
        .names = names,
        .n_names = sizeof(names) / sizeof(names[0]),
    };
    static void *_Atomic once;
    const void *table = NULL;

    _Static_assert(sizeof(struct dn_curl) == sizeof(names), "one name per member");
    DN_TRY(dn_library_load(&table, &library, &once, err));
    *out = table;
    /* counts, and is thread-safe in all versions that are asked for */
    if ((*out)->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return dn_error_memory(err, sizeof(void *));
    }
    return DN_OK;
}
