//! Reads what strace wrote: each system call with its arguments and what it answered.

/// One system call.
#[derive(Debug)]
pub struct Call {
    /// The thread.
    pub pid: u32,
    /// `openat`, `pwrite64` ...
    pub name: String,
    /// The arguments, as strace writes them.
    pub arguments: Vec<String>,
    /// What it answered; negative for an error.
    pub answer: i64,
}

impl Call {
    /// The number that an argument is.
    pub fn number(&self, index: usize) -> u64 {
        self.arguments[index].parse().unwrap()
    }

    /// The bytes of an argument that is a text, written wholly as `\xNN`.
    pub fn bytes(&self, index: usize) -> Vec<u8> {
        let text = self.arguments[index].trim_matches('"');
        let digits = text.split("\\x").skip(1);
        digits
            .map(|hex| u8::from_str_radix(&hex[..2], 16).unwrap())
            .collect()
    }

    /// The same as a text.
    pub fn text(&self, index: usize) -> String {
        String::from_utf8(self.bytes(index)).unwrap()
    }
}

/// Every call that returned, in order.
pub fn parse(log: &str) -> Vec<Call> {
    log.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Call> {
    let (pid, rest) = line.split_once(' ')?;
    let (name, rest) = rest.trim_start().split_once('(')?;
    let (arguments, answer) = rest.rsplit_once(" = ")?;
    let answer = answer.split([' ', '<']).next()?;
    let arguments = arguments.trim_end().strip_suffix(')')?;
    Some(Call {
        pid: pid.parse().ok()?,
        name: name.to_owned(),
        arguments: split(arguments),
        answer: answer.parse().ok()?,
    })
}

/// At the commas outside texts, brackets and braces.
fn split(arguments: &str) -> Vec<String> {
    let (mut parts, mut depth, mut quoted, mut from) = (Vec::new(), 0, false, 0);
    let mut escaped = false;
    for (at, byte) in arguments.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' | b'<' => depth += 1,
            b'}' | b']' | b'>' => depth -= 1,
            b',' if depth == 0 => {
                parts.push(arguments[from..at].trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(arguments[from..].trim().to_owned());
    parts
}
