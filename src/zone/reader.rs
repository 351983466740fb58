//! A walk through a JSON tree that goes on after errors and remembers them all.

use super::error::{ZoneError, ZoneErrors};
use super::json::{Node, Step, path_text, place_of};

/// Errors that are told one by one; the rest are counted.
const TOLD: usize = 100;

/// Collects what is wrong, and where the walk stands.
pub(super) struct Reader<'t> {
    text: &'t [u8],
    path: Vec<Step>,
    errors: ZoneErrors,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            path: Vec::new(),
            errors: ZoneErrors::default(),
        }
    }

    /// The errors so far, `Ok` without any.
    pub(super) fn finish(self) -> Result<(), ZoneErrors> {
        if self.errors.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }

    /// Something is wrong where the walk stands.
    pub(super) fn wrong(&mut self, what: impl Into<String>, remedy: impl Into<String>) {
        if self.errors.errors.len() >= TOLD {
            self.errors.more += 1;
            return;
        }
        self.errors.errors.push(ZoneError {
            path: path_text(&self.path),
            at: Some(place_of(self.text, &self.path)),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    /// Something is wrong one step further.
    pub(super) fn wrong_at(&mut self, step: Step, what: String, remedy: impl Into<String>) {
        self.path.push(step);
        self.wrong(what, remedy);
        self.path.pop();
    }

    /// The members of an object that knows `known` keys only.
    pub(super) fn object<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<Members<'n>> {
        let Node::Map(entries) = node else {
            self.wrong(
                format!("expected an object, found {}", node.kind()),
                format!("write {{…}} with {}", known.join(", ")),
            );
            return None;
        };
        for (i, (key, _)) in entries.iter().enumerate() {
            let step = || Step::Key(key.clone());
            if !known.contains(&key.as_str()) {
                self.wrong_at(
                    step(),
                    "unknown key".to_owned(),
                    format!("remove it; known here: {}", known.join(", ")),
                );
            } else if entries[..i].iter().any(|(other, _)| other == key) {
                self.wrong_at(
                    step(),
                    "the key stands here twice".to_owned(),
                    "keep one of the two",
                );
            }
        }
        Some(Members(entries))
    }

    /// The member `key`, read by `read`; an error where it is missing.
    pub(super) fn required<'n, T>(
        &mut self,
        members: &Members<'n>,
        key: &str,
        read: impl FnOnce(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<T> {
        let Some(node) = members.get(key) else {
            self.wrong_at(Step::Key(key.to_owned()), "is missing".to_owned(), "add it");
            return None;
        };
        self.inside(Step::Key(key.to_owned()), |r| read(r, node))
    }

    /// The member `key`, read by `read`; `Some(None)` where it is absent,
    /// `None` where it is there and wrong.
    pub(super) fn optional<'n, T>(
        &mut self,
        members: &Members<'n>,
        key: &str,
        read: impl FnOnce(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<Option<T>> {
        match members.get(key) {
            None => Some(None),
            Some(node) => self
                .inside(Step::Key(key.to_owned()), |r| read(r, node))
                .map(Some),
        }
    }

    /// Every item of a list; `None` in place of one that is wrong.
    pub(super) fn items<'n, T>(
        &mut self,
        node: &'n Node,
        mut read: impl FnMut(&mut Self, &'n Node) -> Option<T>,
    ) -> Option<Vec<Option<T>>> {
        let list = self.list(node)?;
        Some(
            list.iter()
                .enumerate()
                .map(|(i, item)| self.inside(Step::Index(i), |r| read(r, item)))
                .collect(),
        )
    }

    pub(super) fn list<'n>(&mut self, node: &'n Node) -> Option<&'n [Node]> {
        if let Node::List(list) = node {
            return Some(list);
        }
        self.wrong(
            format!("expected a list, found {}", node.kind()),
            "write […]",
        );
        None
    }

    /// A number from `low` to `high`.
    pub(super) fn number(&mut self, node: &Node, low: f64, high: f64) -> Option<f64> {
        let Node::Number(v) = *node else {
            self.wrong(
                format!("expected a number, found {}", node.kind()),
                format!("write a number from {low} to {high}"),
            );
            return None;
        };
        // NaN is in no range.
        if (low..=high).contains(&v) {
            return Some(v);
        }
        self.wrong(
            format!("{v} is out of range"),
            format!("write a number from {low} to {high}"),
        );
        None
    }

    pub(super) fn text<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        if let Node::Text(text) = node {
            return Some(text);
        }
        self.wrong(
            format!("expected text, found {}", node.kind()),
            "write it in quotes",
        );
        None
    }

    /// Text for people: 1 to 200 characters, none of them control characters.
    pub(super) fn label(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        if !text.trim().is_empty()
            && text.chars().count() <= 200
            && !text.chars().any(char::is_control)
        {
            return Some(text.to_owned());
        }
        self.wrong(
            "is empty, longer than 200 characters or holds control characters",
            "write a short text, or leave the key out where it may be absent",
        );
        None
    }

    /// An id: 1 to 64 letters, digits, `.`, `_`, `-`.
    pub(super) fn id(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?;
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            return Some(text.to_owned());
        }
        self.wrong(
            "is not an id",
            "use 1 to 64 of the letters A-Z, a-z, digits, '.', '_', '-'",
        );
        None
    }

    pub(super) fn inside<T>(&mut self, step: Step, then: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = then(self);
        self.path.pop();
        result
    }
}

/// An object's members.
pub(super) struct Members<'n>(&'n [(String, Node)]);

impl<'n> Members<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&'n Node> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, node)| node)
    }
}
