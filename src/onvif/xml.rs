//! Hostile XML → a small tree of elements, or a refusal.
//!
//! Answers come from whatever stands at a camera's address. Size, depth and
//! number of elements are bounded; a document type is refused, so no entity
//! can be defined and none expands. Namespaces are not resolved: cameras
//! disagree about prefixes, and the names read here are unambiguous without.
//! Must not know ONVIF.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

/// Larger answers are refused. Three hundred presets, as some cameras list them
/// whether they are set or not, take some 120 KiB.
pub const MOST_BYTES: usize = 256 * 1024;
const MOST_DEPTH: usize = 32;
const MOST_ELEMENTS: usize = 4096;
const MOST_ATTRIBUTES: usize = 64;

/// An element without its prefix.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Element {
    /// Local name.
    pub name: String,
    /// Attributes by local name, namespace declarations left out.
    pub attributes: Vec<(String, String)>,
    /// Text directly inside, trimmed.
    pub text: String,
    /// Elements directly inside.
    pub children: Vec<Element>,
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// Too large, too deep, too many.
    #[error("answer has more than {limit} {what}")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        limit: usize,
    },
    /// A document type declaration or an entity that only one could define.
    #[error("answer defines or uses entities")]
    Entities,
    /// Not well-formed.
    #[error("answer is not well-formed at byte {at}: {detail}")]
    Malformed {
        /// Byte offset.
        at: u64,
        /// What the reader says.
        detail: String,
    },
}

impl Element {
    /// The only child of this name; `None` where there is none *or more than
    /// one*: of two contradicting answers neither is taken.
    pub fn only(&self, name: &str) -> Option<&Self> {
        let mut found = self.children.iter().filter(|c| c.name == name);
        let first = found.next();
        if found.next().is_some() { None } else { first }
    }

    /// Follows [`only`](Self::only) along a path.
    pub fn path(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |at, name| at.only(name))
    }

    /// The attribute of this local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let mut found = self.attributes.iter().filter(|(k, _)| k == name);
        let first = found.next();
        if found.next().is_some() {
            return None;
        }
        first.map(|(_, v)| v.as_str())
    }
}

/// Reads a whole document.
///
/// # Errors
/// [`XmlError`] for anything that is not one bounded, entity-free element.
pub fn read(text: &str) -> Result<Element, XmlError> {
    if text.len() > MOST_BYTES {
        return Err(XmlError::TooMuch {
            what: "bytes",
            limit: MOST_BYTES,
        });
    }
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let mut elements = 0;
    loop {
        let at = reader.buffer_position();
        let malformed = |detail: String| XmlError::Malformed { at, detail };
        let event = reader.read_event().map_err(|e| malformed(e.to_string()))?;
        match event {
            Event::Start(start) => {
                count(&mut elements, open.len())?;
                if root.is_some() {
                    return Err(malformed("a second root".to_owned()));
                }
                open.push(element(&start, at)?);
            }
            Event::Empty(start) => {
                count(&mut elements, open.len())?;
                close(element(&start, at)?, &mut open, &mut root, at)?;
            }
            Event::End(_) => {
                let done = open
                    .pop()
                    .ok_or_else(|| malformed("stray end".to_owned()))?;
                close(done, &mut open, &mut root, at)?;
            }
            Event::Text(t) => append(&mut open, &t.xml10_content()),
            Event::CData(t) => append(&mut open, &t.xml10_content()),
            Event::GeneralRef(r) => {
                let name = r.xml10_content();
                let text = match name.as_ref() {
                    "amp" => '&',
                    "lt" => '<',
                    "gt" => '>',
                    "quot" => '"',
                    "apos" => '\'',
                    _ => r
                        .resolve_char_ref()
                        .ok()
                        .flatten()
                        .ok_or(XmlError::Entities)?,
                };
                append(&mut open, text.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(XmlError::Entities),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => {
                return match root {
                    Some(root) if open.is_empty() => Ok(root),
                    _ => Err(malformed("ends too early".to_owned())),
                };
            }
        }
    }
}

fn count(elements: &mut usize, depth: usize) -> Result<(), XmlError> {
    *elements += 1;
    if *elements > MOST_ELEMENTS {
        return Err(XmlError::TooMuch {
            what: "elements",
            limit: MOST_ELEMENTS,
        });
    }
    if depth >= MOST_DEPTH {
        return Err(XmlError::TooMuch {
            what: "levels",
            limit: MOST_DEPTH,
        });
    }
    Ok(())
}

fn element(start: &BytesStart<'_>, at: u64) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    for (n, attribute) in start.attributes().enumerate() {
        let malformed = |detail: String| XmlError::Malformed { at, detail };
        let attribute = attribute.map_err(|e| malformed(e.to_string()))?;
        let declares = attribute.key.as_ref() == "xmlns"
            || attribute
                .key
                .prefix()
                .is_some_and(|p| p.as_ref() == "xmlns");
        if n >= MOST_ATTRIBUTES {
            return Err(XmlError::TooMuch {
                what: "attributes",
                limit: MOST_ATTRIBUTES,
            });
        }
        if declares {
            continue;
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| XmlError::Entities)?;
        attributes.push((
            attribute.key.local_name().as_ref().to_owned(),
            value.into_owned(),
        ));
    }
    let name = start.local_name().as_ref().to_owned();
    if name.is_empty() || attributes.iter().any(|(name, _)| name.is_empty()) {
        let detail = "something without a name".to_owned();
        return Err(XmlError::Malformed { at, detail });
    }
    Ok(Element {
        name,
        attributes,
        text: String::new(),
        children: Vec::new(),
    })
}

fn close(
    mut done: Element,
    open: &mut [Element],
    root: &mut Option<Element>,
    at: u64,
) -> Result<(), XmlError> {
    let trimmed = done.text.trim();
    if trimmed.len() != done.text.len() {
        done.text = trimmed.to_owned();
    }
    match open.last_mut() {
        Some(parent) => parent.children.push(done),
        None if root.is_none() => *root = Some(done),
        None => {
            return Err(XmlError::Malformed {
                at,
                detail: "a second root".to_owned(),
            });
        }
    }
    Ok(())
}

fn append(open: &mut [Element], text: &str) {
    if let Some(inside) = open.last_mut() {
        inside.text.push_str(text);
    }
}

#[cfg(test)]
mod tests;
