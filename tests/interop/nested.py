"""Nested columns compared with pyarrow's reading of them, value by value and null by null, whatever lists and texts are stored as."""

import pyarrow as pa
import pyarrow.compute as pc

from stream import as_pyarrow_has_it, equal_but_nans


def is_list(kind):
    return (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_map(kind))


def one(array):
    """Of chunks one array."""
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def items_of(array):
    """Of all lists that are not null, one behind the other; entries of maps as structs."""
    if pa.types.is_map(array.type):
        as_list = pa.list_(pa.struct([pa.field("key", array.type.key_type, False), pa.field("value", array.type.item_type)]))
        array = array.cast(as_list)
    return array.flatten()


def leaves_equal(mine, theirs):
    if pa.types.is_dictionary(theirs.type):
        theirs = theirs.cast(theirs.type.value_type)
    if pa.types.is_timestamp(theirs.type) or pa.types.is_decimal(theirs.type):
        theirs = theirs.cast(mine.type)
    mine, theirs = pa.chunked_array([mine]), pa.chunked_array([theirs])
    mine = as_pyarrow_has_it(mine, theirs.type)
    return bool(mine.equals(theirs) or equal_but_nans(mine, theirs))


def equal(mine, theirs):
    """Values, nulls, lengths and names of fields; what items are called does not matter."""
    mine, theirs = one(mine), one(theirs)
    if len(mine) != len(theirs) or not mine.is_null().equals(theirs.is_null()):
        return False
    if pa.types.is_struct(theirs.type):
        names = [theirs.type.field(i).name for i in range(theirs.type.num_fields)]
        return (pa.types.is_struct(mine.type) and names == [mine.type.field(i).name for i in range(mine.type.num_fields)]
                and all(equal(a, b) for a, b in zip(mine.flatten(), theirs.flatten())))
    if is_list(theirs.type):
        if pa.types.is_map(mine.type) != pa.types.is_map(theirs.type) or not is_list(mine.type):
            return False
        lengths = [pc.list_value_length(a).cast(pa.int64()) if not pa.types.is_map(a.type) else lengths_of_maps(a)
                   for a in (mine, theirs)]
        return lengths[0].equals(lengths[1]) and equal(items_of(mine), items_of(theirs))
    return leaves_equal(mine, theirs)


def lengths_of_maps(array):
    offsets = array.offsets.to_numpy()
    lengths = pa.array(offsets[1:] - offsets[:-1], pa.int64())
    return pc.if_else(array.is_null(), pa.scalar(None, pa.int64()), lengths)
