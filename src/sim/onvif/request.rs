//! Reads a SOAP request, which may be hostile: bounded in size, depth and
//! number of elements; no document type, no entities but XML's own five.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// Largest request in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;
const MAX_DEPTH: usize = 32;
const MAX_ELEMENTS: usize = 4000;

/// An element: local names only, the prefixes are the client's business.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child of a name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|c| c.name == name)
    }

    /// The element at a path of child names.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |e, name| e.child(name))
    }

    /// The trimmed text of a child.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|c| c.text.trim())
    }

    /// An attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A finite number in an attribute; `Err` when it is there but is none.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>, Refused> {
        match self.attribute(name) {
            None => Ok(None),
            Some(text) => match text.trim().parse::<f64>() {
                Ok(value) if value.is_finite() => Ok(Some(value)),
                _ => Err(Refused(format!("attribute {name} is not a number"))),
            },
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Refused(pub(super) String);

impl<E: std::error::Error> From<E> for Refused {
    fn from(e: E) -> Self {
        Self(e.to_string())
    }
}

/// Parses a document into its root element.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, Refused> {
    if bytes.len() > MAX_BYTES {
        return Err(Refused(format!("more than {MAX_BYTES} bytes")));
    }
    let text = std::str::from_utf8(bytes)?;
    let mut reader = Reader::from_str(text);
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0usize;
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                elements += 1;
                if open.len() >= MAX_DEPTH || elements > MAX_ELEMENTS {
                    return Err(Refused("too many or too deep elements".to_owned()));
                }
                open.push(element(&start)?);
            }
            Event::Empty(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(Refused("too many elements".to_owned()));
                }
                let element = element(&start)?;
                match open.last_mut() {
                    Some(parent) => parent.children.push(element),
                    None => return Ok(element),
                }
            }
            Event::End(_) => {
                let Some(done) = open.pop() else {
                    return Err(Refused("an end without a start".to_owned()));
                };
                match open.last_mut() {
                    Some(parent) => parent.children.push(done),
                    None => return Ok(done),
                }
            }
            Event::Text(t) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&t.xml10_content());
                }
            }
            Event::CData(t) => {
                if let Some(element) = open.last_mut() {
                    element.text.push_str(&t.xml10_content());
                }
            }
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref()? {
                    Some(c) => c,
                    None => named(&reference.xml10_content())?,
                };
                if let Some(element) = open.last_mut() {
                    element.text.push(character);
                }
            }
            Event::DocType(_) => return Err(Refused("document types are refused".to_owned())),
            Event::Eof => return Err(Refused("the document ends too early".to_owned())),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
        }
    }
}

fn named(name: &str) -> Result<char, Refused> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        other => Err(Refused(format!("unknown entity {other:.40}"))),
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, Refused> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute?;
        if attributes.len() >= 64 {
            return Err(Refused("too many attributes".to_owned()));
        }
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?;
        attributes.push((local(attribute.key.local_name()), value.into_owned()));
    }
    Ok(Element {
        name: local(start.local_name()),
        attributes,
        ..Element::default()
    })
}

fn local(name: quick_xml::name::LocalName<'_>) -> String {
    let name: &str = name.into_inner();
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_without_its_prefixes() {
        let root = parse(
            br#"<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Body a:k="1 &amp; 2"><b>t&lt;&#65;</b><c/></s:Body></s:Envelope>"#,
        )
        .unwrap();
        let body = root.child("Body").unwrap();
        assert_eq!(body.attribute("k"), Some("1 & 2"));
        assert_eq!(body.text_of("b"), Some("t<A"));
        assert!(body.child("c").is_some());
    }

    #[test]
    fn hostile_documents_are_refused() {
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        let many = format!("<a>{}</a>", "<b/>".repeat(5000));
        let bomb = r#"<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>"#;
        let long = format!("<a>{}</a>", "x".repeat(MAX_BYTES));
        for text in [
            &deep,
            &many,
            bomb,
            &long,
            "",
            "<a>",
            "</a>",
            "<a></b>",
            "<a>&nope;</a>",
            "<a b=c/>",
            "plain",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text:.60}");
        }
        assert!(parse(&[0xff, 0xfe, b'<']).is_err());
        assert!(
            Element {
                attributes: vec![("x".into(), "NaN".into())],
                ..Element::default()
            }
            .number("x")
            .is_err()
        );
    }
}
