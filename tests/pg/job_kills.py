"""Sessions of a job are ended at random moments: the job fails as a whole, the server has none of its sessions left, and the next run is right."""

import random
import threading
import time

import jobs

ROWS = 60_000


def make(db):
    db.sql(f"""CREATE TABLE killed AS SELECT g AS id, repeat('x', 20 + g % 90) || g AS note, timestamp '2024-01-01' + g * interval '1 s' AS at,
            (g * 1.25)::numeric(12,2) AS total FROM generate_series(1, {ROWS}) g""")


def make_job(folder, db, s3):
    """An incremental job to a bucket, which has everything to read."""
    job = jobs.Documented(folder, db, s3).change(
        ("examples/assets/my_data.yaml", str(folder / "asset.yaml")), ("large_table", "killed"),
        ("source:\n", f"source:\n  incremental: {{cursor_field: id, state_path: '{folder}/state.json'}}\n"))
    job.asset(["id integer!", "note string", "at timestamp", "total decimal(12,2)"])
    return job


OUTPUT = "default/default/t/t_000000.parquet"


def whole(job):
    """How long a run takes that nobody disturbs, and its rows."""
    begun = time.monotonic()
    job.ok()
    seconds, rows = time.monotonic() - begun, job.table(OUTPUT)
    jobs.same_as_server(job.server, rows.slice(0, 3000), "(SELECT * FROM killed WHERE id <= 3000) q")
    forget(job)
    return seconds, rows


def forget(job):
    job.bucket.clear()
    (job.home / "state.json").unlink()


KILL = """CREATE TABLE IF NOT EXISTS kill_over (x int);
    CREATE OR REPLACE FUNCTION kill_soon(after float) RETURNS int LANGUAGE plpgsql AS $$ DECLARE n int; BEGIN
        PERFORM pg_sleep(after);
        LOOP
            PERFORM pg_stat_clear_snapshot();
            SELECT count(pg_terminate_backend(pid)) INTO n FROM pg_stat_activity WHERE application_name = 'dativo-native';
            IF n > 0 OR EXISTS (SELECT FROM kill_over) THEN RETURN n; END IF;
            PERFORM pg_sleep(0.0005);
        END LOOP;
    END $$"""


class Killer:
    """Ends every session of ours, from `after` seconds on, until one was ended or it is told to stop."""

    def __init__(self, db, after):
        self.db, self.ended = db, 0
        db.sql("TRUNCATE kill_over")
        self.thread = threading.Thread(target=self.run, args=[after])
        self.thread.start()

    def run(self, after):
        self.ended = int(self.db.sql(f"SELECT kill_soon({after})"))

    def stop(self):
        if self.thread.is_alive():
            self.db.sql("INSERT INTO kill_over VALUES (1)")
        self.thread.join()


def kill_and_run_again(job, hits, seed):
    """Until so many runs were hit."""
    draw = random.Random(seed)
    seconds, rows = whole(job)
    assert rows.column("id").to_pylist() == list(range(1, ROWS + 1))
    job.server.sql(KILL)
    for _ in range(hits * 10):
        killer = Killer(job.server, draw.random() * seconds)
        done = job()
        killer.stop()
        job.server.gone()
        assert done.code in (0, 2), done.err
        if done.code == 2:
            assert killer.ended > 0 and "connection" in done.err, done.err
            assert job.bucket == {} and job.is_clean() and not (job.home / "state.json").exists()
            hits -= 1
            job.ok()
        assert list(job.bucket) == [OUTPUT] and job.is_clean()
        assert job.state("state.json")["killed.id"]["last_value"] == ROWS
        assert job.table(OUTPUT).equals(rows)
        forget(job)
        if hits == 0:
            return
    raise AssertionError(f"{hits} more runs had to be hit")
