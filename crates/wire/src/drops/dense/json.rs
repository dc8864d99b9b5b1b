//! A context as one line of JSON with its keys in order, and back: exactly, floats included, which
//! the parser that everything else uses rounds now and then.

use serde_json::{Map, Number, Value};

use super::coder::Broken;

/// As deep as a context can be: the parser of batches stops there too.
const DEPTH_MAX: usize = 128;
const BAD: Broken = Broken("a context is not as it was written");

/// The text of a context; empty for an empty one.
pub(crate) fn write(context: &Map<String, Value>) -> String {
    let mut text = String::new();
    if !context.is_empty() {
        object(&mut text, context);
    }
    text
}

fn object(text: &mut String, map: &Map<String, Value>) {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_unstable();
    text.push('{');
    for (i, key) in keys.into_iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        quoted(text, key);
        text.push(':');
        value(text, &map[key]);
    }
    text.push('}');
}

fn value(text: &mut String, json: &Value) {
    match json {
        Value::Object(map) => object(text, map),
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    text.push(',');
                }
                value(text, item);
            }
            text.push(']');
        }
        Value::String(string) => quoted(text, string),
        plain => text.push_str(&plain.to_string()),
    }
}

fn quoted(text: &mut String, string: &str) {
    text.push_str(&Value::from(string).to_string());
}

/// The context of a text of [`write`].
pub(crate) fn read(text: &str) -> Result<Map<String, Value>, Broken> {
    if text.is_empty() {
        return Ok(Map::new());
    }
    let mut parser = Parser {
        text,
        at: 0,
        depth: 0,
    };
    let parsed = parser.value()?;
    match parsed {
        Value::Object(map) if parser.at == text.len() => Ok(map),
        _ => Err(BAD),
    }
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value, Broken> {
        match self.peek()? {
            b'{' => self.nested(Parser::map).map(Value::Object),
            b'[' => self.nested(Parser::list).map(Value::Array),
            b'"' => self.string().map(Value::String),
            _ => self.plain(),
        }
    }

    fn nested<T>(&mut self, read: fn(&mut Self) -> Result<T, Broken>) -> Result<T, Broken> {
        self.depth += 1;
        self.at += 1;
        if self.depth > DEPTH_MAX {
            return Err(BAD);
        }
        let done = read(self)?;
        self.depth -= 1;
        Ok(done)
    }

    fn map(&mut self) -> Result<Map<String, Value>, Broken> {
        let mut map = Map::new();
        while !self.ends(b'}', map.is_empty())? {
            let key = self.string()?;
            self.take(b':')?;
            let item = self.value()?;
            map.insert(key, item);
        }
        Ok(map)
    }

    fn list(&mut self) -> Result<Vec<Value>, Broken> {
        let mut list = Vec::new();
        while !self.ends(b']', list.is_empty())? {
            list.push(self.value()?);
        }
        Ok(list)
    }

    /// Whether a list or a map is over; else what separates its items is taken.
    fn ends(&mut self, close: u8, first: bool) -> Result<bool, Broken> {
        if self.peek()? == close {
            self.at += 1;
            return Ok(true);
        }
        if !first {
            self.take(b',')?;
        }
        Ok(false)
    }

    fn string(&mut self) -> Result<String, Broken> {
        let bytes = self.text.as_bytes();
        if self.peek()? != b'"' {
            return Err(BAD);
        }
        let mut end = self.at + 1;
        while *bytes.get(end).ok_or(BAD)? != b'"' {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let text = self.text.get(self.at..=end).ok_or(BAD)?;
        self.at = end + 1;
        serde_json::from_str(text).map_err(|_| BAD)
    }

    /// `null`, `true`, `false` or a number.
    fn plain(&mut self) -> Result<Value, Broken> {
        let rest = &self.text[self.at..];
        let len = rest.find([',', ']', '}']).unwrap_or(rest.len());
        let text = &rest[..len];
        self.at += len;
        let number = match text {
            "null" => return Ok(Value::Null),
            "true" => return Ok(Value::Bool(true)),
            "false" => return Ok(Value::Bool(false)),
            // The standard library reads the nearest float, always.
            text if text.contains(['.', 'e', 'E']) => text.parse().ok().and_then(Number::from_f64),
            text => match text.parse::<u64>() {
                Ok(number) => Some(number.into()),
                Err(_) => text.parse::<i64>().ok().map(Number::from),
            },
        };
        number.map(Value::Number).ok_or(BAD)
    }

    fn take(&mut self, wanted: u8) -> Result<(), Broken> {
        if self.peek()? != wanted {
            return Err(BAD);
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Result<u8, Broken> {
        self.text.as_bytes().get(self.at).copied().ok_or(BAD)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn contexts_of_every_kind_come_back() {
        for json in [
            json!({}),
            json!({"b": 1, "a": [true, null, "x\"\\\n}", {"z": {}}], "": -7}),
            json!({"f": 0.1, "g": 1e300, "h": -0.0, "i": u64::MAX, "j": i64::MIN, "k": 5.0}),
            json!({"odd": f64::MAX, "other": f64::from_bits(0x000f_ffff_ffff_fff7)}),
        ] {
            let Value::Object(map) = json else {
                panic!("an object")
            };
            assert_eq!(read(&write(&map)), Ok(map));
        }
    }

    #[test]
    fn what_is_no_context_is_refused() {
        for text in [
            "[]",
            "{",
            "{\"a\":}",
            "{\"a\":1}x",
            "{\"a\" 1}",
            "{\"\\",
            "7",
            "{\"a\":01x}",
        ] {
            assert_eq!(read(text), Err(BAD), "{text}");
        }
        assert_eq!(read(&format!("{{\"a\":{}", "[".repeat(500))), Err(BAD));
    }
}
