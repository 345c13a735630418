"""
The job files of the public host's repository (dativo-io/dativo-ingest: jobs/, examples/, docs/examples/, tests/fixtures/jobs, 47 in all),
as equivalents of our own: the same connectors, keys and shapes, with small sources that have the same peculiarities.  That repository has
no licence, so nothing of it is here.

`stock` is the exit code of the Python host, from runs of it with every variable set, without catalogs and databases.  "traceback" are jobs
whose recipes stand at /app, which nobody has outside of its image: it ends with an uncaught exception there.
"""

import datetime

DAY = datetime.date.today
S3 = {"endpoint": "${S3_ENDPOINT}", "bucket": "test-bucket", "access_key_id": "${AWS_ACCESS_KEY_ID}",
      "secret_access_key": "${AWS_SECRET_ACCESS_KEY}", "region": "${AWS_REGION}", "path_style_access": True}
MINIO_KEYS = {"endpoint": "${MINIO_ENDPOINT}", "access_key_id": "${MINIO_ACCESS_KEY}", "secret_access_key": "${MINIO_SECRET_KEY}"}
READER = "examples/plugins/rust/target/release/libcsv_reader_plugin.so:create_reader"
WRITER = "examples/plugins/rust/target/release/libparquet_writer_plugin.so:create_writer"
UTF16 = {"engine": {"options": {"encoding": "utf-16-le"}}}
OPTIONS = {"engine": {"options": {"batch_size": 10000, "delimiter": ",", "encoding": "utf-8"}}}
KV = {"markdown_kv_storage": {"mode": "string"}, "file_format": "parquet"}
CATALOG = {"catalog": {"type": "openmetadata", "connection": {"api_url": "${OPENMETADATA_API_URL:-http://localhost:8585/api}",
                                                              "auth_token": "${OPENMETADATA_AUTH_TOKEN}"},
                       "database": "d", "push_lineage": True, "push_metadata": True}}


def minio(prefix):
    return {"connection": {**MINIO_KEYS, "bucket": "test-bucket", "prefix": prefix, "secure": False, "path_style_access": True}}


def flat(prefix):
    return {"connection": {k: v for k, v in {**S3, "prefix": prefix}.items() if k != "path_style_access"}}


def iceberg(**more):
    return {"connection": {"s3": {**S3, **more}}}


def lake(source, **more):
    """A target that no job of these gets to."""
    return {"connection": {"s3": {**MINIO_KEYS, "bucket": "test-bucket", "region": "${AWS_REGION}", "path_style_access": True}}, **more}


class Job:
    def __init__(self, name, source, target, asset, source_keys, target_keys, *, stock, code=None, mode=None, rows=None, key=None,
                 says=(), app=False, more=None):
        self.name, self.stock, self.rows, self.key, self.says = name, stock, rows, key, [says] if isinstance(says, str) else says
        self.code = stock if code is None else code
        at = "/app/" if app else ""
        self.keys = {"tenant_id": "test_tenant", "environment": "test",
                     "source_connector": source, "source_connector_path": f"{at}connectors/{source}.yaml",
                     "target_connector": target, "target_connector_path": f"{at}connectors/{target}.yaml",
                     "asset": asset.split("/")[-1], "asset_path": f"{at}assets/{asset}.yaml",
                     "source": source_keys, "target": target_keys,
                     **({"schema_validation_mode": mode} if mode else {}),
                     "logging": {"redaction": False, "level": "INFO"}, **(more or {})}


def file(name, path, **more):
    return {"files": [{"path": path, "object": name}], **more}


def csv_job(name, target, asset, path, target_keys, **more):
    return Job(name, "csv", target, asset, file(asset, f"seeds/{path}", **more.pop("source", {})), target_keys, **more)


def database(name, source, table, cursor="modifieddate"):
    connection = {"host": "${PGHOST:-localhost}", "port": "${PGPORT:-5432}", "password": "${PGPASSWORD:-postgres}"}
    says = "markdown_kv_storage is not supported" if source == "postgres" else f'source connector "{source}"'
    return Job(name, source, "iceberg", "none", {"tables": [{"name": table, "object": "o"}], "connection": connection, "incremental": {
        "strategy": "updated_at", "cursor_field": cursor, "lookback_days": 0}}, lake(source, **KV), stock=2, says=[says])


def service(name, source, keys, target="iceberg", stock=2, app=False, says=None, **more):
    return Job(name, source, target, "none", {**keys, "incremental": {"lookback_days": 0}}, lake(source, **more), stock=stock, code=2,
               says=[says or f'source connector "{source}"'], app=app)


def at(asset, prefix="", partition=True):
    day = f"ingest_date={DAY().isoformat()}/" if partition else ""
    return f"{prefix}dativo/{asset}s/csv_{asset}/{day}csv_{asset}_000000.parquet"


def jobs():
    return [
        # sources of CSV, targets that are buckets
        csv_job("adventureworks_person_to_iceberg", "iceberg", "person", "Person.csv", iceberg(), stock=0, rows=10, key=at("person")),
        csv_job("csv_person_to_s3", "s3", "person", "Person.csv", flat("raw/csv/person"), stock=0, rows=10,
                key=at("person", "raw/csv/person/", False)),
        csv_job("csv_sales_order_to_s3", "s3", "order", "Orders.csv", flat("raw/csv/order"), stock=0, rows=10,
                key=at("order", "raw/csv/order/", False)),
        csv_job("csv_listening_history_to_minio", "minio", "listening", "listening.csv", minio("raw/csv/listening"), stock=0, rows=10,
                key=at("listening", "raw/csv/listening/", False)),
        csv_job("csv_product_to_minio", "minio", "product", "Product.csv", minio("raw/csv/product"), mode="warn", stock=1, rows=11,
                key=at("product", "raw/csv/product/", False), says="asset requires a value, but 1 row is null"),
        csv_job("csv_malformed_data", "minio", "product", "Product_malformed.csv", minio("raw/csv/malformed"), mode="warn", stock=2,
                says=["Product_malformed.csv", "never closed"]),
        csv_job("csv_product_strict_validation", "minio", "product", "Product_invalid.csv", minio("raw/csv/strict"), mode="strict",
                stock=2, says=["Product_invalid.csv: line 6", "fields where the header has"]),
        csv_job("csv_employee_to_iceberg", "iceberg", "employee", "Employee_Complete.csv", iceberg(), mode="warn", stock=1, rows=5000,
                key=at("employee"), source={"engine": {"options": {"encoding": "utf-8"}}}, says='no column "employee_id"'),
        csv_job("csv_employee_state_persistence", "iceberg", "employee", "Employee.csv", iceberg(prefix="raw/csv/state"), mode="warn",
                stock=1, rows=289, key=at("employee", "raw/csv/state/"),
                source={**UTF16, "incremental": {"strategy": "file_modified_time", "lookback_days": 0}}),
        csv_job("csv_employee_to_iceberg_with_catalog", "iceberg", "employee", "Employee.csv", iceberg(), mode="warn", stock=1, rows=289,
                key=at("employee"), source=UTF16, more=CATALOG, says='catalog "openmetadata" is told nothing'),
        csv_job("smoke_test_3", "iceberg", "product", "Product.csv", {"custom_writer": WRITER, **iceberg(), "engine": {"options": {
            "compression": "gzip", "row_group_size": 50000}}}, mode="warn", stock=1, rows=11, key=at("product"), source=OPTIONS),
        csv_job("smoke_test_5", "iceberg", "product", "Product.csv", {"custom_writer": WRITER, **iceberg(), "engine": {"options": {
            "compression": "zstd", "row_group_size": 100000}}}, mode="warn", stock=1, rows=11, key=at("product"),
            source={"custom_reader": READER, **OPTIONS}),
        # the same, and something that they need is not there
        csv_job("rust_plugin_example_full", "s3", "person", "large_dataset.csv", {"custom_writer": WRITER, "connection": {"s3": {
            "bucket": "my-data-lake", "region": "us-east-1", "access_key": "${AWS_ACCESS_KEY_ID}", "secret_key": "${AWS_SECRET_ACCESS_KEY}"}}},
            mode="strict", stock="traceback", code=2, app=True, says=["/app/connectors/csv.yaml"],
            more={"retry_config": {"max_attempts": 3, "initial_delay_seconds": 5}}),
        csv_job("csv_to_iceberg_with_catalog", "iceberg", "wrapped", "missing.csv", {"connection": {"s3": {"bucket": "${S3_BUCKET}"}}},
                mode="strict", stock=2, more=CATALOG, says="missing.csv"),
        csv_job("test_job", "iceberg", "none", "missing.csv", {"connection": {"s3": {"bucket": "${S3_BUCKET}"}}}, stock=2,
                says="assets/none.yaml"),
        csv_job("employee_with_overrides", "iceberg", "employee", "Employee_Complete.csv", {"branch": "acme", "warehouse": "s3://lake/acme/",
                "connection": {"nessie": {"uri": "http://nessie:19120"}, "s3": {"bucket": "b"}}}, stock=2, app=True,
                more={"classification_overrides": {"email": "pii"}, "finops": {}, "governance_overrides": {}},
                says='unknown key "classification_overrides"'),
        # plugins in Python
        csv_job("smoke_test_1", "iceberg", "employee", "Employee.csv", {"custom_writer": WRITER, **iceberg()}, mode="warn", stock=1, code=2,
                source={"custom_reader": "plugins/reader.py:Reader", **UTF16}, says="is a Python plugin"),
        csv_job("smoke_test_2", "iceberg", "employee", "Employee.csv", iceberg(), mode="warn", stock=1, code=2,
                source={"custom_reader": "plugins/reader.py:Reader", **UTF16}, says="is a Python plugin"),
        Job("smoke_test_4", "postgres", "iceberg", "none", {"custom_reader": "plugins/reader.py:Reader", "tables": [{"name": "p.p"}]},
            lake("postgres", **KV), stock=2, mode="warn", says="is a Python plugin"),
        Job("custom_plugin_example", "custom_api", "custom_storage", "person", {
            "custom_reader": "/app/plugins/reader.py:Reader", "connection": {"base_url": "https://x"}, "credentials": {"token": "${API_TOKEN}"},
            "objects": ["users"]}, {"custom_writer": "/app/plugins/writer.py:Writer", **lake("x")}, stock="traceback", code=2, app=True,
            says="is a Python plugin"),
        # connectors that are not ours
        csv_job("iceberg_to_google_sheets", "google_sheets", "none", "Product.csv", {"spreadsheet_id": "x", "range": "A1:Z9", "credentials": {
            "file_template": "/secrets/{tenant}/gsheets.json"}}, stock=2, says='target connector "google_sheets"',
            source={"incremental": {"strategy": "file_modified_time", "lookback_days": 0}}),
        service("markdown_kv_source_to_iceberg", "markdown_kv", file("docs", "seeds/doc.md")),
        service("gdrive_csv_to_iceberg", "gdrive_csv", {"files": [{"id": "x", "object": "file"}]}),
        service("gdrive_csv_airbyte_to_iceberg", "gdrive_csv", {"files": [{"id": "x", "object": "file"}]}),
        service("gdrive_deals_to_iceberg", "gdrive_csv", {"files": [{"file_id": "x", "object": "deals"}]}, app=True),
        service("google_sheets_to_iceberg", "google_sheets", {"sheets": [{"id": "x", "object": "sheet", "range": "A1:Z9"}]}),
        service("google_sheets_airbyte_to_iceberg", "google_sheets", {"sheets": [{"id": "x", "object": "sheet"}]}),
        service("gsheets_vendors_to_minio", "google_sheets", {"sheets": [{"spreadsheet_id": "x", "sheet_id": 0}]}, "minio", "traceback", True),
        service("hubspot_contacts_to_iceberg", "hubspot", {"objects": ["contacts"]}),
        service("hubspot_invalid_credentials", "hubspot", {"objects": ["contacts"], "credentials": {"api_key": "invalid"}}),
        service("hubspot_contacts_to_iceberg_acme", "hubspot", {"objects": ["contacts"]}, stock="traceback", app=True),
        service("stripe_customers_to_iceberg", "stripe", {"objects": ["customers"]}),
        service("stripe_customers_to_iceberg_acme", "stripe", {"objects": ["customers"]}, stock="traceback", app=True),
        service("stripe_customers_to_s3", "stripe", {"objects": ["customers"]}, "s3", "traceback", True),
        service("mysql_customers_to_s3", "mysql", {"tables": [{"name": "public.customers", "cursor_field": "updated_at"}],
                                                   "connection": {"host": "${MYSQL_HOST}"}}, "s3", "traceback", True),
        service("postgres_orders_to_iceberg", "postgres", {"tables": [{"name": "public.orders"}], "connection": {"host": "${PGHOST}"}},
                stock="traceback", app=True, says="/app/connectors/postgres.yaml"),
        service("rust_plugin_example_mixed", "postgres", {"tables": [{"name": "orders"}], "connection": {"host": "${POSTGRES_HOST}"}}, "s3",
                "traceback", True, "POSTGRES_HOST is not set", custom_writer=WRITER),
        database("mysql_departments_to_iceberg_markdown_kv", "mysql", "employees.departments", None),
        database("mysql_employees_to_iceberg_markdown_kv", "mysql", "employees.employees"),
        database("postgres_address_to_iceberg_markdown_kv", "postgres", "person.address"),
        database("postgres_connection_failure", "postgres", "humanresources.employee"),
        database("postgres_customer_to_iceberg_markdown_kv", "postgres", "sales.customer"),
        database("postgres_employee_to_iceberg_markdown_kv", "postgres", "humanresources.employee"),
        database("postgres_person_to_iceberg_markdown_kv", "postgres", "person.person"),
        database("postgres_product_category_to_iceberg_markdown_kv", "postgres", "production.productcategory"),
        database("postgres_product_to_iceberg_markdown_kv", "postgres", "production.product"),
        database("postgres_sales_order_header_to_iceberg_markdown_kv", "postgres", "sales.salesorderheader"),
    ]


# ---- what the jobs name ----------------------------------------------------------------------------------------------

NATIVE = {"chunk_size": 10000, "encoding": "utf-8", "delimiter": ",", "quote_char": '"', "library": "pandas", "library_version": "2.1.0"}
STORE = {"library": "boto3", "library_version": "1.34.0", "batch_size_rows": 100000, "max_file_size_mb": 128, "compression": "snappy",
         "partition_by_default": ["ingest_date"]}


def recipe(name, native, **more):
    return {"name": name, "type": name, "roles": ["source", "target"], "description": "x",
            "default_engine": {"type": "native", "options": {"native": native}}, **more}


RECIPES = {
    "csv": recipe("csv", NATIVE, credentials={"type": "none"}, incremental={"strategy": "file_modified_time", "lookback_days_default": 0}),
    "postgres": {"name": "postgres", "type": "postgres", "roles": ["source", "target"], "description": "x",
                 "default_engine": {"type": "meltano", "options": {"meltano": {"tap": "tap-postgres", "tap_config": {"replication_slot": "s"}}}},
                 "credentials": {"type": "basic", "file_template": "/secrets/{tenant}/postgres.env"},
                 "connection_template": {"host": "${PGHOST}", "port": "${PGPORT}", "database": "${PGDATABASE}"},
                 "incremental": {"strategy": "cursor_field", "cursor_field_default": "updated_at", "lookback_days_default": 1}},
    "s3": recipe("s3", STORE, connection_template={
        "bucket": "${S3_BUCKET}", "endpoint": "s3.amazonaws.com", "access_key_id": "${AWS_ACCESS_KEY_ID}",
        "secret_access_key": "${AWS_SECRET_ACCESS_KEY}", "region": "${AWS_REGION}"}),
    "minio": recipe("minio", STORE, connection_template={
        **MINIO_KEYS, "bucket": "${MINIO_BUCKET}", "secure": False, "path_style_access": True}),
    "iceberg": recipe("iceberg", {**STORE, "library": "pyiceberg"}, connection_template={"s3": {
        k: v for k, v in {**S3, "path_style_access": False}.items() if k != "bucket"}}, file_format="parquet",
        partitioning_default=["ingest_date"]),
}


def asset(name, *columns, wrapped=False):
    """Columns are "name type" or "name type!" for required ones."""
    schema = [{"name": n, "type": t.rstrip("!"), "required": t.endswith("!")} for n, t in (c.split() for c in columns)]
    keys = {"$schema": "x.json", "apiVersion": "v3.0.2", "kind": "DataContract", "name": f"csv_{name}", "version": "1.0",
            "status": "active", "domain": "dativo", "dataProduct": f"{name}s", "tenant": "test_tenant", "source_type": "csv", "object": name,
            "description": {"purpose": "x", "limitations": None}, "tags": ["a", "b"], "schema": schema,
            "target": {"file_format": "parquet", "partitioning": ["ingest_date"], "mode": "strict"},
            "data_quality": {"monitoring": {"enabled": True, "oncall_rotation": "a@b.c"}}, "team": {"owner": "data@example.com"},
            "compliance": {"classification": ["PII"], "retention_days": 90, "regulations": ["GDPR"]}}
    return {"asset": keys} if wrapped else keys


PRODUCT = ("ProductID integer!", "Name string!", "MakeFlag integer!", "Color string", "StandardCost double!", "Weight double",
           "SellStartDate timestamp!", "SellEndDate timestamp", "ModifiedDate timestamp!")
ASSETS = {
    "person": asset("person", "PersonID integer!", "Title string", "FirstName string!", "EmailPromotion integer", "ModifiedDate timestamp!"),
    "order": asset("order", "OrderID integer!", "OrderDate timestamp!", "ShipDate timestamp", "Number string!", "TerritoryID integer",
                   "SubTotal double!", "Comment string"),
    "listening": asset("listening", "user_id string!", "album string", "duration_ms integer!", "played_at timestamp!", "shuffle boolean",
                       "date date!", "premium boolean"),
    "product": asset("product", *PRODUCT),
    "employee": asset("employee", "employee_id integer!", "email string!", "hire_date date!", "salary double!", "manager_id integer",
                      "updated_at timestamp!"),
    "wrapped": asset("wrapped", "id integer!", wrapped=True),
}


def lines(*texts):
    return "".join(text + "\n" for text in texts)


def seeds():
    header = ",".join(c.split()[0] for c in PRODUCT)
    product = [f"{i},Part {i},0,,0.00,{i}.50,2008-04-30 00:00:00,,2014-02-08 10:01:36.827" for i in range(1, 11)]
    return {
        "Person.csv": lines("PersonID,Title,FirstName,EmailPromotion,ModifiedDate",
                            *(f"{i},{'Ms.' if i % 2 else ''},Zoë {i},{i % 3},2009-01-{i:02} 00:00:00" for i in range(1, 11))).encode(),
        "Orders.csv": lines("OrderID,OrderDate,ShipDate,Number,TerritoryID,SubTotal,Comment",
                            *(f"{i},2011-05-31 00:00:00,,SO{i},{'NULL' if i == 3 else i},{i}.6206," for i in range(1, 11))).encode(),
        "listening.csv": lines("user_id,album,duration_ms,played_at,shuffle,date,premium",
                               *(f"u{i},÷,{i}000,2024-01-15 10:{i:02}:00,true,2024-01-{i:02},{'false' if i % 2 else 'true'}"
                                 for i in range(1, 11))).encode(),
        "Product.csv": lines(header, *product, "," * (len(PRODUCT) - 1)).encode(),
        "Product_malformed.csv": lines(header, *product[:2], f'"Open,{product[2]}', product[3], product[4] + ",a,b,c").encode(),
        "Product_invalid.csv": lines(header, *product[:2], "," + product[2][2:], product[3], product[4] + ",more", product[5]).encode(),
        "Employee.csv": "\ufeff".encode("utf-16-le") + "".join(
            f"{i}\t{295847284 + i}\tworks\\user{i}\tTitle of Ünë\t2009-01-14\r\n" for i in range(290)).encode("utf-16-le"),
        "Employee_Complete.csv": lines("Number,Name,Age,Salary,Department",
                                       *(f"{i},Name {i},{20 + i % 40},{30000 + i},Dept {i % 7}" for i in range(5000))).encode(),
        "doc.md": b"title:: x\n",
    }


def write_yaml(value, indent=0):
    """Block style, texts in quotes."""
    import json
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{json.dumps(k) if k.startswith('$') else k}:" + (
            f"\n{write_yaml(v, indent + 1)}" if isinstance(v, (dict, list)) and v else f" {json.dumps(v)}\n") for k, v in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}-\n{write_yaml(v, indent + 1)}" if isinstance(v, (dict, list)) and v else f"{pad}- {json.dumps(v)}\n"
                       for v in value)
    return f"{pad}{json.dumps(value)}\n"


def write_all(root):
    """Everything but the jobs' outputs below `root`; the jobs, by name."""
    for folder, documents in (("connectors", RECIPES), ("assets", ASSETS)):
        (root / folder).mkdir()
        for name, document in documents.items():
            (root / folder / f"{name}.yaml").write_text(write_yaml(document))
    (root / "seeds").mkdir()
    for name, data in seeds().items():
        (root / "seeds" / name).write_bytes(data)
    (root / "jobs").mkdir()
    for job in jobs():
        (root / "jobs" / f"{job.name}.yaml").write_text(write_yaml(job.keys))
