/* What people see of a transfer, and their wish to stop. */
#include "base/error.h"
#include "cli/console.h"
#include "job/events.h"

#include "scratch.h"

#include <pthread.h>
#include <signal.h>

static void *wait_for_the_wish(void *arg)
{
    const struct dn_events *events = arg;

    while (!dn_events_cancelled(events)) {
    }
    return NULL;
}

/* The handler runs on one thread, and all others ask: under the thread sanitizer a plain variable is a race. */
static void test_a_signal_is_seen_by_every_thread(void **state)
{
    struct dn_console console = {.quiet = true};
    struct dn_outcome outcome = {0};
    struct dn_error err;
    pthread_t threads[2];

    (void)state;
    dn_console_start(&console);
    dn_console_guard();
    assert_false(dn_events_cancelled(&console.events));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wait_for_the_wish, &console.events), 0);
    }
    assert_int_equal(raise(SIGTERM), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    dn_console_unguard();
    (void)dn_error_set(&err, DN_ERR_CANCELLED, "stopped");
    console.json = true;
    assert_int_equal(dn_console_close(&console, "", "", DN_ERR_CANCELLED, &err, &outcome),
                     128 + SIGTERM);
    dn_console_finish(&console);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_signal_is_seen_by_every_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
