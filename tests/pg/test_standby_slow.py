"""A server that follows another one."""

import postgres_server
from conftest import Command, Tool


def test_a_standby_is_read_by_one_connection(tmp_path, server):
    server.sql("CREATE TABLE orders (id int NOT NULL, note text); INSERT INTO orders SELECT i, repeat('x', 900) FROM generate_series(1, 2000) i")
    with postgres_server.Server(standby_of=server, settings={"hot_standby": "on"}) as standby:
        tool = Tool(tmp_path, standby)
        plan = tool.ok("plan", "public.orders", connections=4, piece=16)
        assert "connections\t1\n" in plan and "standby" in plan
        assert tool.ok("dump", "orders", connections=4) == server.psql("-c", "COPY orders TO STDOUT")
        table = Command(tmp_path, standby).table(Command(tmp_path, standby).url("orders"), "--reader-option", "connections=4")
        assert table["id"].to_pylist() == list(range(1, 2001))
