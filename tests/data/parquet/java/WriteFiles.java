/* Files of parquet-java (parquet-hadoop), every flat type with the ways that it has of writing them; see ../README.md. */
import static org.apache.parquet.schema.LogicalTypeAnnotation.*;
import static org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName.*;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.Arrays;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Types;

public final class WriteFiles {
    private static final int ROWS = 110;

    /** The value of a row; rows have values in common, so that a dictionary can be of use, and later ones more than early ones. */
    private interface Value {
        Object at(int i);
    }

    private record Column(String name, PrimitiveTypeName type, int length, LogicalTypeAnnotation meaning, Value value) {}

    private static Column of(String name, PrimitiveTypeName type, LogicalTypeAnnotation meaning, Value value) {
        return new Column(name, type, 0, meaning, value);
    }

    private static Column fixed(String name, int length, LogicalTypeAnnotation meaning, Value value) {
        return new Column(name, FIXED_LEN_BYTE_ARRAY, length, meaning, value);
    }

    /** Runs at first, ever more values later. */
    private static int spread(int i) {
        return i < 30 ? i / 6 : i < 45 ? i % 7 : i;
    }

    private static long signed(int bits, int i) {
        long low = bits == 64 ? Long.MIN_VALUE : -(1L << (bits - 1));
        return switch (spread(i) % 17) {
            case 3 -> low;
            case 5 -> -(low + 1);
            case 7 -> -1;
            default -> bits == 8 ? spread(i) % 100 - 50 : (spread(i) - 100) * 37L;
        };
    }

    private static long unsigned(int bits, int i) {
        return switch (spread(i) % 17) {
            case 3 -> bits == 64 ? -1L : (1L << bits) - 1;
            case 5 -> 1L << (bits - 1);
            default -> bits == 8 ? spread(i) % 200 : spread(i) * 97L;
        };
    }

    private static double real(int i) {
        double[] odd = {0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 1e30, -1e-30};
        return i % 5 == 4 ? odd[i / 5 % odd.length] : (spread(i) - 50) / 8.0;
    }

    private static Binary half(int i) {
        short[] bits = {0, (short) 0x8000, 0x3c00, (short) 0xbc00, 0x7bff, (short) 0xfbff, 0x7c00, 0x0001, 0x7e00};
        short v = i % 3 == 0 ? bits[i / 3 % bits.length] : (short) (0x3000 + spread(i));
        return Binary.fromConstantByteArray(new byte[] {(byte) v, (byte) (v >> 8)});
    }

    private static Binary decimal(int length, int i) {
        BigInteger v = BigInteger.valueOf(spread(i) - 90).multiply(BigInteger.TEN.pow(length)).add(BigInteger.valueOf(i % 3));
        byte[] shortest = v.toByteArray();
        if (length == 0 || shortest.length > length) {
            return Binary.fromConstantByteArray(shortest);
        }
        byte[] whole = new byte[length];
        Arrays.fill(whole, (byte) (v.signum() < 0 ? -1 : 0));
        System.arraycopy(shortest, 0, whole, length - shortest.length, shortest.length);
        return Binary.fromConstantByteArray(whole);
    }

    private static Binary text(int i) {
        String[] few = {"", "a", "ten bytes!", "\u00e4\u20ac\ud83d\ude00", "a text that is longer than those bounds that are cut off"};
        return Binary.fromString(i < 45 ? few[spread(i) % few.length] : "text number " + i);
    }

    private static Binary bytes(int length, int i) {
        byte[] out = new byte[length];
        for (int k = 0; k < length; k++) {
            out[k] = (byte) (spread(i) * 31 + k * 17);
        }
        return Binary.fromConstantByteArray(out);
    }

    private static Binary int96(int i) {
        ByteBuffer out = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        out.putLong(spread(i) * 3_600_000_000_001L % 86_400_000_000_000L).putInt(2_440_588 + spread(i) * 400 - 30_000);
        return Binary.fromConstantByteArray(out.array());
    }

    private static Binary interval(int i) {
        ByteBuffer out = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
        return Binary.fromConstantByteArray(out.putInt(spread(i)).putInt(i % 31).putInt(i * 1000).array());
    }

    private static Binary point(int i) {
        ByteBuffer out = ByteBuffer.allocate(21).order(ByteOrder.LITTLE_ENDIAN);
        return Binary.fromConstantByteArray(out.put((byte) 1).putInt(1).putDouble(spread(i) / 2.0).putDouble(-i).array());
    }

    private static final Column[] COLUMNS = {
        of("bool", BOOLEAN, null, i -> spread(i) % 3 == 0),
        of("int32", INT32, null, i -> (int) signed(32, i)),
        of("int64", INT64, null, i -> signed(64, i)),
        of("int96", INT96, null, WriteFiles::int96),
        of("float", FLOAT, null, i -> (float) real(i)),
        of("double", DOUBLE, null, WriteFiles::real),
        of("bytes", BINARY, null, i -> bytes(spread(i) % 20, i)),
        fixed("fixed", 5, null, i -> bytes(5, i)),
        of("int8", INT32, intType(8, true), i -> (int) signed(8, i)),
        of("int16", INT32, intType(16, true), i -> (int) signed(16, i)),
        of("uint8", INT32, intType(8, false), i -> (int) unsigned(8, i)),
        of("uint16", INT32, intType(16, false), i -> (int) unsigned(16, i)),
        of("uint32", INT32, intType(32, false), i -> (int) unsigned(32, i)),
        of("uint64", INT64, intType(64, false), i -> unsigned(64, i)),
        of("date", INT32, dateType(), i -> spread(i) * 365 - 20_000),
        of("time_ms", INT32, timeType(true, TimeUnit.MILLIS), i -> spread(i) * 373_000 % 86_400_000),
        of("time_us", INT64, timeType(false, TimeUnit.MICROS), i -> spread(i) * 373_000_001L % 86_400_000_000L),
        of("time_ns", INT64, timeType(true, TimeUnit.NANOS), i -> spread(i) * 373_000_000_001L % 86_400_000_000_000L),
        of("timestamp_ms", INT64, timestampType(true, TimeUnit.MILLIS), i -> (spread(i) - 40) * 86_400_123L * 300),
        of("timestamp_us", INT64, timestampType(false, TimeUnit.MICROS), i -> (spread(i) - 40) * 86_400_000_123L * 300),
        of("timestamp_ns", INT64, timestampType(true, TimeUnit.NANOS), i -> (spread(i) - 40) * 86_400_000_000_123L * 300),
        of("decimal32", INT32, decimalType(2, 9), i -> (spread(i) - 100) * 4_999_999),
        of("decimal64", INT64, decimalType(3, 18), i -> (spread(i) - 100) * 4_999_999_999_999_999L),
        fixed("decimal_fixed", 11, decimalType(4, 25), i -> decimal(11, i)),
        of("decimal_bytes", BINARY, decimalType(5, 30), i -> decimal(0, i)),
        of("string", BINARY, stringType(), WriteFiles::text),
        of("enum", BINARY, enumType(), i -> Binary.fromString("KIND_" + spread(i) % 4)),
        of("json", BINARY, jsonType(), i -> Binary.fromString("{\"k\":" + spread(i) + "}")),
        of("bson", BINARY, bsonType(), i -> bytes(6, i)),
        fixed("uuid", 16, uuidType(), i -> bytes(16, i)),
        fixed("float16", 2, float16Type(), WriteFiles::half),
        fixed("interval", 12, IntervalLogicalTypeAnnotation.getInstance(), WriteFiles::interval),
        of("geometry", BINARY, geometryType("OGC:CRS84"), WriteFiles::point),
    };

    private static MessageType schema(boolean optional) {
        Type[] fields = new Type[COLUMNS.length];
        for (int k = 0; k < COLUMNS.length; k++) {
            Column c = COLUMNS[k];
            Types.PrimitiveBuilder<PrimitiveType> field = optional ? Types.optional(c.type) : Types.required(c.type);
            field = c.length == 0 ? field : field.length(c.length);
            fields[k] = (c.meaning == null ? field : field.as(c.meaning)).named(c.name);
        }
        return new MessageType("table", fields);
    }

    private static void add(Group row, String name, Object value) {
        if (value instanceof Boolean v) {
            row.add(name, v);
        } else if (value instanceof Integer v) {
            row.add(name, v);
        } else if (value instanceof Long v) {
            row.add(name, v);
        } else if (value instanceof Float v) {
            row.add(name, v);
        } else if (value instanceof Double v) {
            row.add(name, v);
        } else {
            row.add(name, (Binary) value);
        }
    }

    /** Nulls of optional columns: now and then, for some pages nothing else, and nowhere in some. */
    private static boolean isNull(int column, int i) {
        return column % 4 != 1 && (i * 7 + column) % 9 == 0 || column % 4 == 2 && i >= 20 && i < 75;
    }

    private static void write(ExampleParquetWriter.Builder builder, boolean optional) throws Exception {
        MessageType schema = schema(optional);
        builder.withType(schema);
        builder.withRowGroupRowCountLimit(60).withPageRowCountLimit(30).withMinRowCountForPageSizeCheck(5);
        builder.withPageWriteChecksumEnabled(true).withColumnIndexTruncateLength(12).withStatisticsTruncateLength(20);
        try (ParquetWriter<Group> writer = builder.build()) {
            for (int i = 0; i < ROWS; i++) {
                Group row = new SimpleGroup(schema);
                for (int k = 0; k < COLUMNS.length; k++) {
                    if (!optional || !isNull(k, i)) {
                        add(row, COLUMNS[k].name, COLUMNS[k].value.at(i));
                    }
                }
                writer.write(row);
            }
        }
    }

    private static ExampleParquetWriter.Builder file(Path folder, String name, WriterVersion version, CompressionCodecName codec) {
        return ExampleParquetWriter.builder(new LocalOutputFile(folder.resolve("java_" + name + ".parquet")))
                .withWriteMode(org.apache.parquet.hadoop.ParquetFileWriter.Mode.OVERWRITE)
                .withWriterVersion(version)
                .withCompressionCodec(codec);
    }

    public static void main(String[] args) throws Exception {
        Path folder = Paths.get(args[0]);
        WriterVersion v1 = WriterVersion.PARQUET_1_0;
        WriterVersion v2 = WriterVersion.PARQUET_2_0;

        write(file(folder, "v2", v2, CompressionCodecName.UNCOMPRESSED), true);
        write(file(folder, "v1_plain_gzip", v1, CompressionCodecName.GZIP).withDictionaryEncoding(false), false);
        write(file(folder, "v2_delta_snappy", v2, CompressionCodecName.SNAPPY).withDictionaryEncoding(false), true);
        write(file(folder, "v2_delta_zstd", v2, CompressionCodecName.ZSTD).withDictionaryEncoding(false), false);
        write(file(folder, "v1_fallback_zstd", v1, CompressionCodecName.ZSTD).withDictionaryPageSize(70), true);
        write(file(folder, "v2_fallback_lz4_raw", v2, CompressionCodecName.LZ4_RAW).withDictionaryPageSize(70), false);
        write(file(folder, "v1_split_lz4_raw", v1, CompressionCodecName.LZ4_RAW)
                .withDictionaryEncoding(false).withByteStreamSplitEncoding(true), true);
        ExampleParquetWriter.Builder split = file(folder, "v2_split_gzip", v2, CompressionCodecName.GZIP).withDictionaryEncoding(false);
        for (Column c : COLUMNS) {
            if (c.type != BOOLEAN && c.type != INT96 && c.type != BINARY) {
                split.withByteStreamSplitEncoding(c.name, true);
            }
        }
        write(split, false);
        ExampleParquetWriter.Builder bloom = file(folder, "v1_bloom_snappy", v1, CompressionCodecName.SNAPPY);
        for (Column c : COLUMNS) {
            if (c.type != BOOLEAN) {
                bloom.withBloomFilterEnabled(c.name, true).withBloomFilterNDV(c.name, 40);
            }
        }
        write(bloom, true);
    }
}
