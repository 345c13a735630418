"""CSV to a folder of Parquet files on a cluster: spark-submit csv_to_parquet.py orders.csv /shared/orders

Every row is read exactly, also those with line ends within quotes, and the folder is complete or as it was.
"""
import os
import sys

from pyspark.sql import SparkSession

from dativo_native import spark as dn_spark

os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
source, target = sys.argv[1:3]
builder = SparkSession.builder.appName("csv_to_parquet").config("spark.ui.enabled", "false")
spark = (builder.master(os.environ["SPARK_MASTER"]) if "SPARK_MASTER" in os.environ else builder).getOrCreate()

dn_spark.register(spark)
frame = spark.read.format("dativo_csv").option("infer", "all").option("split_size", "64MB").load(source)
frame.write.format("dativo_parquet").mode("overwrite").option("compression", "zstd").save(target)
print(f"{spark.read.parquet(target).count()} rows")

# the same, if nothing is to be done with the rows in Spark: they stay out of the JVM
outcome = dn_spark.convert(spark, source, target, mode="overwrite", infer="all", writer={"compression": "zstd"})
print(f"{outcome.rows_out} rows in {outcome.files_out} files")
spark.stop()
