"""Every command with keys, tokens and a web address's query, while all goes well and while it does not: what can be read of it afterwards."""

import concurrent.futures
import os
import subprocess
import sys

import s3_server
from command import BIN
from convert_runs import KEY_ID, PART, SECRET, TOKEN, serving

QUERY = "recognisable-signature-of-a-query"
SECRETS = [text.encode() for text in (SECRET, TOKEN, QUERY)]
ROWS = 3000
TEXT = b"id,name\n" + b"".join(b"%d,name %d\n" % (i, i) for i in range(ROWS))
ASSET = "name: t\nschema: [{name: id, type: integer}, {name: name, type: string}]\n"
JOB = """tenant_id: acme
source_connector: csv
target_connector: s3
asset_path: asset.yaml
source:
  files: [{path: "SOURCE"}]
target:
  file_format: csv
  connection:
    bucket: bucket
    access_key_id: ${SOME_ID}
    secret_access_key: ${SOME_SECRET}
    session_token: ${SOME_TOKEN}
"""
LITERAL = JOB.replace("${SOME_ID}", KEY_ID).replace("${SOME_SECRET}", f'"{SECRET}"').replace("${SOME_TOKEN}", f'"{TOKEN}"')
S3, WEB = "s3://bucket/in", "URL/bucket/in"
QUERIED = f".csv?X-Amz-Signature={QUERY}"
COMMANDS = {
    "convert up": ["convert", "-f", "in.csv", "s3://bucket/out.csv"],
    "convert down": ["convert", f"{S3}.csv", "out.csv"],
    "convert web": ["convert", WEB + QUERIED, "out.csv"],
    "convert web up": ["convert", "-f", WEB + QUERIED, "s3://bucket/out.parquet"],
    "schema": ["schema", f"{S3}.csv"],
    "schema web": ["schema", "--json", WEB + QUERIED],
    "inspect": ["inspect", f"{S3}.parquet"],
    "inspect web": ["inspect", "--json", f"{WEB}.parquet?X-Amz-Signature={QUERY}"],
    "verify": ["verify", f"{S3}.parquet"],
    "verify web": ["verify", f"{WEB}.parquet?X-Amz-Signature={QUERY}"],
    "run": ["run", "local.yaml"],
    "run json": ["run", "--log-format", "json", "literal.yaml"],
    "run web": ["run", "--log-format", "json", "web.yaml"],
    "dry run": ["run", "--dry-run", "literal.yaml"],
    "dry run json": ["run", "--dry-run", "--json", "web.yaml"],
    "check": ["check", "local.yaml"],
    "check json": ["check", "--json", "web.yaml"],
    "level 0 writer": ["python", "writer"],
    "level 0 reader": ["python", "reader"],
}
QUICK = ["expired", "full", "moved", "error-in-200"]  # that are not tried again for long
PASSING = ["500", "503-html", "reset-body", "lost", "truncate", "short", "wrong-etag", "wrong-crc", "skew"]
WRONG = ["secret", "token", "key", "bucket", "denied"]

LEVEL_0 = """
import json, os, sys
sys.path.insert(0, os.path.join(os.environ["DN_SOURCE"], "tests", "abi"))
from stock_host import PLUGINS, load, take
connection = {"s3": {"endpoint": "${AWS_ENDPOINT_URL_S3}", "bucket": "bucket", "access_key_id": "${SOME_ID}", "path_style_access": True,
                     "secret_access_key": os.environ["SOME_SECRET"], "session_token": "${SOME_TOKEN}"}}
schema = [{"name": "id", "type": "integer"}, {"name": "name", "type": "string"}]
if sys.argv[1] == "writer":
    lib = load(PLUGINS / "libparquet_writer_plugin.so")
    config = {"asset_name": "t", "schema": schema, "output_base": "s3://bucket/base", "connection": connection, "file_format": "parquet"}
    payload = [json.dumps({"records": [{"id": i, "name": "x"} for i in range(9)], "file_counter": 0}).encode()]
    make, call, free = lib.create_writer, lib.write_batch, lib.free_writer
else:
    lib = load(PLUGINS / "libcsv_reader_plugin.so")
    config = {"files": [{"path": "s3://bucket/in.csv"}], "connection": connection}
    payload = []
    make, call, free = lib.create_reader, lib.extract_batch, lib.free_reader
text = json.dumps(config).encode()
print(take(lib, lib.check_connection(text)), take(lib, lib.discover(text)) if sys.argv[1] == "reader" else "")
handle = make(text)
print(take(lib, call(handle, *payload)), take(lib, lib.last_error(handle)))
free(handle)
"""


def prepare(folder, server, parquet):
    (folder / "tmp").mkdir(parents=True)
    (folder / "in.csv").write_bytes(TEXT)
    (folder / "asset.yaml").write_text(ASSET)
    (folder / "local.yaml").write_text(JOB.replace("SOURCE", "in.csv"))
    elsewhere = folder.parent / f"{folder.name}-jobs"  # these have secrets, as their author wanted it
    elsewhere.mkdir()
    for name, text in {"literal.yaml": LITERAL.replace("SOURCE", "in.csv"),
                       "web.yaml": LITERAL.replace("SOURCE", server.url + "/bucket/in" + QUERIED)}.items():
        (elsewhere / name).write_text(text.replace("asset.yaml", str(folder / "asset.yaml")))
    server.buckets["bucket"]["in.csv"] = s3_server.make_object(TEXT)
    server.buckets["bucket"]["in.parquet"] = s3_server.make_object(parquet)
    return elsewhere


def environment(folder, server, fault):
    secret = SECRET + "x" if fault == "secret" else SECRET
    token = TOKEN + "x" if fault == "token" else TOKEN
    key = "AKIDOTHER" if fault == "key" else KEY_ID
    url = server.url + "/none" if fault == "bucket" else server.url
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder / "tmp"), "AWS_ENDPOINT_URL_S3": url, "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": token, "SOME_ID": key, "SOME_SECRET": secret, "SOME_TOKEN": token,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1", "DN_S3_PART_BYTES": str(PART), "DN_SOURCE": os.environ["DN_SOURCE"],
            "DN_PLUGINS": os.environ["DN_PLUGINS"], "PYTHONDONTWRITEBYTECODE": "1"}


def look(folder, said, what):
    places = {"what it said": said, **{str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}}
    for place, text in places.items():
        for secret in SECRETS:
            assert secret not in text, (what, place, text[max(0, text.find(secret) - 200):][:600])


def run(folder, command, fault, parquet):
    """Its exit code; None of a Python host."""
    with serving() as server:
        elsewhere = prepare(folder, server, parquet)
        server.anonymous = True  # the web; who signs is believed nothing nevertheless
        if fault == "denied":
            server.denied |= {"in.csv", "in.parquet", "out.csv"}
        if fault in s3_server.FAULTS:
            server.fault = lambda request: fault if request.operation not in ("abort", "uploads") else None
        args = [str(elsewhere / arg) if arg in ("literal.yaml", "web.yaml") else arg.replace("URL", server.url) for arg in COMMANDS[command]]
        program = [sys.executable, "-c", LEVEL_0, args[1]] if args[0] == "python" else [str(BIN), *args]
        done = subprocess.run(program, cwd=folder, env=environment(folder, server, fault), capture_output=True, timeout=300)
        look(folder, done.stdout + done.stderr, (command, fault))
        assert done.returncode in (0, 1, 2), (command, fault, done.returncode, done.stderr)
        assert fault or done.returncode == 0, (command, done.stdout, done.stderr)
        return done.returncode


def run_all(home, faults):
    """How many ended well, and how many did not."""
    (home / "in.csv").write_bytes(TEXT)
    subprocess.run([BIN, "convert", "-q", "in.csv", "in.parquet"], cwd=home, check=True)
    parquet = (home / "in.parquet").read_bytes()
    cases = [(command, fault) for command in COMMANDS for fault in faults]
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda case: run(home / f"{case[0]} {case[1]}", *case, parquet), cases))
    return sum(code == 0 for code in codes), sum(code != 0 for code in codes)
