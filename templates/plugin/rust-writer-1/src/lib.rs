//! @NAME@: a writer of Level 1. A row is a line of JSON: {"id":1,"name":"Ann"}. Replace the target.
mod files;
mod json;
mod level1;
mod writer;

use json::{quoted, Json};
use level1::*;
use std::os::raw::c_char;
use std::io::Write;
use writer::{Cell, Column, Output, Target};

struct JsonLines;

impl Target for JsonLines {
    const OPTIONS: &'static [&'static str] = &[];

    fn begin(_config: &Json, columns: &[Column], _out: &mut Output) -> Result<JsonLines, Failure> {
        match columns.iter().position(|c| c.name.is_empty()) {
            Some(i) => Err(failure(UNSUPPORTED, format!("column {} has no name", i + 1))),
            None => Ok(JsonLines), // lines of JSON have no header
        }
    }

    fn row(&mut self, columns: &[Column], cells: &[Cell], out: &mut Output) -> Result<(), Failure> {
        for (i, (column, cell)) in columns.iter().zip(cells).enumerate() {
            write!(out, "{}{}:", if i == 0 { '{' } else { ',' }, quoted(&column.name))?;
            match cell {
                Cell::Null => write!(out, "null")?,
                Cell::Bool(value) => write!(out, "{value}")?,
                Cell::Int(value) => write!(out, "{value}")?,
                Cell::Float(value) if value.is_finite() => write!(out, "{value:?}")?,
                Cell::Float(value) => return Err(failure(DATA, format!("column {:?}: JSON has no {value}", column.name))),
                Cell::Date(days) => write!(out, "\"{}\"", date(*days as i64))?,
                Cell::Timestamp(micros) => {
                    let (day, second, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000) / 1_000_000, micros.rem_euclid(1_000_000));
                    write!(out, "\"{}T{:02}:{:02}:{:02}", date(day), second / 3600, second / 60 % 60, second % 60)?;
                    if rest != 0 {
                        write!(out, ".{rest:06}")?;
                    }
                    write!(out, "{}\"", if column.data == Type::Timestamptz { "Z" } else { "" })?;
                }
                Cell::Text(text) => write!(out, "{}", quoted(text))?,
            }
        }
        writeln!(out, "}}")?;
        Ok(())
    }

    fn end(&mut self, _out: &mut Output) -> Result<(), Failure> {
        Ok(())
    }
}

/// The civil date of a day since 1970-01-01: years begin in March, so that the leap day is their last. Years of no four digits have a
/// sign and six or more, as ISO 8601 has it.
fn date(day: i64) -> String {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let of_era_year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = of_era_year + era * 400 + (month <= 2) as i64;
    let year = if (0..=9999).contains(&year) { format!("{year:04}") } else { format!("{year:+07}") };
    format!("{year}-{month:02}-{day:02}")
}

type Mine = JsonLines; // what writer.rs makes a plugin of

static PLUGIN: Plugin = Plugin {
    struct_size: std::mem::size_of::<Plugin>() as u32,
    abi_version: ABI,
    name: b"@NAME@\0".as_ptr() as *const c_char,
    version: b"0.1.0\0".as_ptr() as *const c_char,
    description: b"rows as lines of JSON\0".as_ptr() as *const c_char,
    get_extension: writer::extension,
    free_text,
};

#[no_mangle]
pub unsafe extern "C" fn dativo_plugin_get(host_abi: u32, err: *mut Error) -> *const Plugin {
    plugin_get(&PLUGIN, host_abi, err)
}
