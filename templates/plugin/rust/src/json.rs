//! JSON: one value out of a text, and texts into it. A crate such as serde_json does the same faster.
#![allow(dead_code)]

#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    Null,
    Bool(bool),
    Number(String), // as it is written
    Text(String),
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

    /// Hosts send numbers as texts, too.
    pub fn int(&self) -> Option<i64> {
        match self {
            Json::Number(text) | Json::Text(text) => text.parse().ok(),
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
            b'"' => self.text().map(Json::Text),
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
            let key = self.text()?;
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
            _ => word.parse::<f64>().ok().map(|_| Json::Number(word)),
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

    /// Half of a surrogate pair, which no text holds, becomes U+FFFD.
    fn escaped(&mut self) -> Option<char> {
        let byte = self.peek();
        self.at += (byte != 0) as usize;
        Some(match byte {
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
                char::from_u32(code).unwrap_or('\u{fffd}')
            }
            _ => return None,
        })
    }

    fn text(&mut self) -> Option<String> {
        let mut bytes = Vec::new();
        self.take(b'"')?;
        loop {
            match self.peek() {
                b'"' => break,
                0..=0x1f => return None,
                b'\\' => {
                    self.at += 1;
                    let mut utf8 = [0; 4];
                    bytes.extend_from_slice(self.escaped()?.encode_utf8(&mut utf8).as_bytes());
                }
                byte => {
                    bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        String::from_utf8(bytes).ok()
    }
}
