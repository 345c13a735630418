"""More of test_host_jobs.py, which waits between its tries."""

from test_host_jobs import host, server  # noqa: F401: the fixture


def test_a_service_that_is_busy_for_longer(host):  # noqa: F811
    """Requests are tried again, and then the run."""
    text = (host.root / "jobs/csv_person_to_s3.yaml").read_text()
    (host.root / "jobs/csv_person_to_s3.yaml").write_text(text + "retry_config: {initial_delay_seconds: 0.05, max_retries: 5}\n")
    n = [0]

    def fault(request):
        n[0] += 1
        return "503" if n[0] <= 12 else None

    host.server.fault = fault
    try:
        code, lines, text = host.run("csv_person_to_s3")
    finally:
        host.server.fault = None
    assert code == 0, text
    assert [line["event_type"] for line in lines].count("retry_attempt") >= 1
