//! JSON: one value out of a text, texts into it, and what a configuration has in it. A crate such as serde_json does more, and faster.
#![allow(dead_code)]

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String), // as it is written
    Text(String),
    Broken(String), // a text with half of a surrogate pair, for which U+FFFD stands: good to be shown, not to name a thing
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value at `p`, and how many bytes it has. What stands behind it is not looked at: there may be no NUL.
    /// # Safety
    /// `p` is NULL, or a value begins there, or there is a NUL before it is complete.
    pub unsafe fn parse(p: *const u8) -> Option<(Json, usize)> {
        let mut parser = Parser { p, at: 0 };
        if p.is_null() {
            return None;
        }
        let value = parser.value(0)?;
        Some((value, parser.at))
    }

    /// Of an object; Null if there is none. Of several the last one counts.
    pub fn get(&self, key: &str) -> &Json {
        match self {
            Json::Object(members) => members.iter().rev().find(|m| m.0 == key).map_or(&Json::Null, |m| &m.1),
            _ => &Json::Null,
        }
    }

    pub fn items(&self) -> &[Json] {
        if let Json::List(items) = self { items } else { &[] }
    }

    pub fn members(&self) -> &[(String, Json)] {
        if let Json::Object(members) = self { members } else { &[] }
    }

    pub fn text(&self) -> Option<&str> {
        if let Json::Text(text) = self { Some(text) } else { None }
    }

    /// As it names a file, or what is wrong with it, for a message.
    pub fn name(&self) -> Result<&str, &'static str> {
        match self {
            Json::Null => Err("is missing"),
            Json::Text(text) if text.is_empty() => Err("is empty"),
            Json::Text(text) if !text.contains('\0') => Ok(text),
            Json::Text(_) | Json::Broken(_) => Err("has a NUL, or half of a surrogate pair"),
            _ => Err("must be a text"),
        }
    }

    /// Hosts send numbers as texts, too; parse() takes a plus as well.
    pub fn int(&self) -> Option<i64> {
        match self {
            Json::Number(text) | Json::Text(text) if !text.starts_with('+') => text.parse().ok(),
            _ => None,
        }
    }
}

/// A text with its quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' | '\0'..='\x1f' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Of JSON: Rust's own parsers take "inf", "01" and "1." as well.
fn is_number(word: &str) -> bool {
    let (mantissa, exponent) = word.split_once(['e', 'E']).unwrap_or((word, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    digits(whole) && digits(fraction) && digits(exponent) && (whole.len() == 1 || !whole.starts_with('0'))
}

/// An option: at engine.options, or one level deeper in its `native`. Null if there is none.
pub fn option<'a>(config: &'a Json, key: &str) -> &'a Json {
    let options = config.get("engine").get("options");
    match options.get(key) {
        Json::Null => options.get("native").get(key),
        value => value,
    }
}

const RECIPES: [&str; 20] = [
    "library", "library_version", "chunk_size", "batch_size", "batch_size_rows", "encoding", "delimiter", "quote_char", "max_file_size_mb",
    "compression", "api_version", "partition_by_default", "mime_type", "parse_mode", "tap_name", "docker_image", "streams_default",
    "start_date_default", "value_render_option", "date_time_render_option",
];

/// An option that is none of `known`: where it stands, for a message, and its key. One that is passed over reads other data than was
/// meant. The sections of other engines are not ours, and neither is what connector recipes of hosts put into `native` for jobs that say
/// nothing.
pub fn unknown_option(config: &Json, known: &[&str]) -> Option<(String, String)> {
    let options = config.get("engine").get("options");
    for (place, section, sections) in
        [("engine.options", options, &["native", "meltano", "airbyte", "singer"][..]), ("engine.options.native", options.get("native"), &RECIPES[..])]
    {
        if !matches!(section, Json::Null | Json::Object(_)) {
            return Some((place.to_string(), String::new())); // it holds no options at all
        }
        let is_unknown = |(key, value): &&(String, Json)| *value != Json::Null && !known.contains(&key.as_str()) && !sections.contains(&key.as_str());
        if let Some((key, _)) = section.members().iter().find(is_unknown) {
            return Some((format!("{place}.{key}"), key.clone()));
        }
    }
    None
}

/// The path of the first file, or what is wrong with it, for a message.
pub fn path_of(config: &Json) -> Result<&str, &'static str> {
    let file = config.get("files").items().first().unwrap_or(&Json::Null);
    match file.get("path") {
        Json::Null => file.get("file").name(),
        path => path.name(),
    }
}

struct Parser {
    p: *const u8,
    at: usize, // never behind a NUL
}

impl Parser {
    fn peek(&self) -> u8 {
        unsafe { *self.p.add(self.at) }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        if self.peek() != byte {
            return None;
        }
        self.at += 1;
        Some(())
    }

    fn space(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\t' | b'\r' | b'\n') {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        match self.space() {
            b'"' => self.text().map(|(text, is_broken)| if is_broken { Json::Broken(text) } else { Json::Text(text) }),
            b'{' if depth < 100 => self.object(depth),
            b'[' if depth < 100 => self.list(depth),
            b'{' | b'[' => None,
            _ => self.word(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        let mut members = Vec::new();
        self.at += 1;
        while self.space() != b'}' {
            if !members.is_empty() {
                self.take(b',')?;
                self.space();
            }
            let (key, _) = self.text()?;
            self.space();
            self.take(b':')?;
            members.push((key, self.value(depth + 1)?));
        }
        self.at += 1;
        Some(Json::Object(members))
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        let mut items = Vec::new();
        self.at += 1;
        while self.space() != b']' {
            if !items.is_empty() {
                self.take(b',')?;
            }
            items.push(self.value(depth + 1)?);
        }
        self.at += 1;
        Some(Json::List(items))
    }

    fn word(&mut self) -> Option<Json> {
        let mut word = String::new();
        while matches!(self.peek(), b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'+' | b'-' | b'.') {
            word.push(self.peek() as char);
            self.at += 1;
        }
        match word.as_str() {
            "null" => Some(Json::Null),
            "true" => Some(Json::Bool(true)),
            "false" => Some(Json::Bool(false)),
            "NaN" | "Infinity" | "-Infinity" => Some(Json::Number(word)), // which Python hosts write
            _ if is_number(&word) => Some(Json::Number(word)),
            _ => None,
        }
    }

    fn hex(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + (self.peek() as char).to_digit(16)?;
            self.at += 1;
        }
        Some(code)
    }

    /// The character, or the number of half of a surrogate pair, which no text holds.
    fn escaped(&mut self) -> Option<Result<char, u32>> {
        let byte = self.peek();
        self.at += (byte != 0) as usize;
        Some(Ok(match byte {
            b'"' | b'\\' | b'/' => byte as char,
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.hex()?;
                if (0xd800..0xdc00).contains(&code) && self.take(b'\\').is_some() {
                    let back = self.at - 1;
                    let low = self.take(b'u').and_then(|_| self.hex()).unwrap_or(0);
                    if (0xdc00..0xe000).contains(&low) {
                        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                    } else {
                        self.at = back;
                    }
                }
                return Some(char::from_u32(code).ok_or(code));
            }
            _ => return None,
        }))
    }

    /// And whether U+FFFD stands for half of a pair in it.
    fn text(&mut self) -> Option<(String, bool)> {
        let (mut bytes, mut is_broken) = (Vec::new(), false);
        self.take(b'"')?;
        loop {
            match self.peek() {
                b'"' => break,
                0..=0x1f => return None,
                b'\\' => {
                    self.at += 1;
                    let mut utf8 = [0; 4];
                    let c = self.escaped()?;
                    is_broken |= c.is_err();
                    bytes.extend_from_slice(c.unwrap_or('\u{fffd}').encode_utf8(&mut utf8).as_bytes());
                }
                byte => {
                    bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        String::from_utf8(bytes).ok().map(|text| (text, is_broken))
    }
}
