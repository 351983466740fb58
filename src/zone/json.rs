//! JSON as a tree that keeps what a typed reader would drop (every key, also
//! the second of the same name), and places in its text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// Any JSON value.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Bool,
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Map(Vec<(String, Self)>),
}

impl Node {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }
    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Bool)
    }
    fn visit_i64<E>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Number(v as f64))
    }
    fn visit_u64<E>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Number(v as f64))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Number(v))
    }
    fn visit_str<E>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Text(v.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Node::Map(entries))
    }
}

/// One step of a path into a JSON text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// `zones[3].shape.points[17].tilt_deg`; empty for the whole.
pub(super) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(i) => text.push_str(&format!("[{i}]")),
        }
    }
    text
}

/// Line and column in bytes (from 1) at which the value at `path` begins in
/// `text`, which is valid JSON; of the last value on the way where the path
/// leads nowhere.
pub(super) fn place_of(text: &[u8], path: &[Step]) -> (usize, usize) {
    let mut at = Cursor { text, pos: 0 };
    at.skip_space();
    let mut found = at.pos;
    for step in path {
        let entered = match step {
            Step::Key(key) => at.enter_key(key),
            Step::Index(i) => at.enter_index(*i),
        };
        if !entered {
            break;
        }
        found = at.pos;
    }
    let before = &text[..found.min(text.len())];
    let line = 1 + before.iter().filter(|b| **b == b'\n').count();
    let column = 1 + before.iter().rev().take_while(|b| **b != b'\n').count();
    (line, column)
}

struct Cursor<'a> {
    text: &'a [u8],
    pos: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.pos).copied()
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.pos += 1;
        }
    }

    /// Past `byte` and the space around it, if it comes next.
    fn take(&mut self, byte: u8) -> bool {
        self.skip_space();
        let there = self.peek() == Some(byte);
        if there {
            self.pos += 1;
            self.skip_space();
        }
        there
    }

    /// From an object to the value of its last member called `key`.
    fn enter_key(&mut self, key: &str) -> bool {
        let mut found = None;
        if !self.take(b'{') {
            return false;
        }
        while self.peek() == Some(b'"') {
            let from = self.pos + 1;
            self.skip_value();
            let same = self.text.get(from..self.pos.saturating_sub(1)) == Some(key.as_bytes());
            if !self.take(b':') {
                break;
            }
            if same {
                found = Some(self.pos);
            }
            self.skip_value();
            if !self.take(b',') {
                break;
            }
        }
        self.pos = found.unwrap_or(self.pos);
        found.is_some()
    }

    /// From a list to its item `index`.
    fn enter_index(&mut self, index: usize) -> bool {
        if !self.take(b'[') {
            return false;
        }
        for _ in 0..index {
            self.skip_value();
            if !self.take(b',') {
                return false;
            }
        }
        self.peek().is_some_and(|b| b != b']')
    }

    fn skip_value(&mut self) {
        let mut depth = 0u32;
        while let Some(b) = self.peek() {
            match b {
                b'"' => self.skip_text(),
                b'{' | b'[' => {
                    depth += 1;
                    self.pos += 1;
                }
                b'}' | b']' | b',' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.pos += 1;
                }
                _ if depth == 0 && (b == b':' || b.is_ascii_whitespace()) => return,
                _ => {
                    self.pos += 1;
                    continue;
                }
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_text(&mut self) {
        self.pos += 1;
        while let Some(b) = self.peek() {
            self.pos += if b == b'\\' { 2 } else { 1 };
            if b == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_its_line() {
        let text = br#"{
  "a\"b": [1, {"x": "}]"},
     [2,
      3]],
  "c": {
    "d": null, "e": true
  }
}"#;
        let key = |k: &str| Step::Key(k.to_owned());
        for (path, line, shown) in [
            (vec![], 1, ""),
            (vec![key("c")], 5, "c"),
            (vec![key("c"), key("e")], 6, "c.e"),
            (vec![key("c"), key("nothing")], 5, "c.nothing"),
            (
                vec![key("a\\\"b"), Step::Index(2), Step::Index(1)],
                4,
                "a\\\"b[2][1]",
            ),
            (
                vec![key("a\\\"b"), Step::Index(1), key("x")],
                2,
                "a\\\"b[1].x",
            ),
            (vec![key("a\\\"b"), Step::Index(7)], 2, "a\\\"b[7]"),
        ] {
            assert_eq!(place_of(text, &path).0, line, "{path:?}");
            assert_eq!(path_text(&path), shown);
        }
    }
}
