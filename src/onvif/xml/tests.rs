use super::*;
use proptest::prelude::*;

#[test]
fn prefixes_and_namespaces_fall_away() {
    let root = read(
        r#"<a:Root xmlns:a="urn:x" a:token="t" plain=" p "><b:Leaf xmlns:b="urn:y"> 1 &lt; 2&#33; <![CDATA[<&>]]></b:Leaf><Leaf2/></a:Root>"#,
    )
    .unwrap();
    assert_eq!(root.name, "Root");
    assert_eq!(root.attribute("token"), Some("t"));
    assert_eq!(root.attribute("plain"), Some(" p "));
    assert_eq!(root.only("Leaf").unwrap().text, "1 < 2! <&>");
    assert_eq!(
        root.only("Leaf2").unwrap(),
        &Element {
            name: "Leaf2".to_owned(),
            ..Element::default()
        }
    );
    assert_eq!(root.only("Leaf3"), None);
}

#[test]
fn of_two_neither_is_taken() {
    let root = read(r#"<r a:x="1" b:x="2"><c/><c/></r>"#).unwrap();
    assert_eq!(root.only("c"), None);
    assert_eq!(root.attribute("x"), None);
}

#[test]
fn bounds_hold() {
    let many = format!("<r>{}</r>", "<c/>".repeat(5000));
    let deep = format!("{}{}", "<c>".repeat(40), "</c>".repeat(40));
    let large = format!("<r>{}</r>", "x".repeat(MOST_BYTES));
    let wide = format!(
        "<r {}/>",
        (0..100).map(|i| format!("a{i}='' ")).collect::<String>()
    );
    let declared = format!(
        "<r {}/>",
        (0..100)
            .map(|i| format!("xmlns:a{i}='' "))
            .collect::<String>()
    );
    for (text, what) in [
        (declared, "attributes"),
        (many, "elements"),
        (deep, "levels"),
        (large, "bytes"),
        (wide, "attributes"),
    ] {
        match read(&text) {
            Err(XmlError::TooMuch { what: found, .. }) => assert_eq!(found, what),
            other => panic!("{what}: {other:?}"),
        }
    }
}

#[test]
fn what_is_not_one_document_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "<a>",
        "</a>",
        "<a></b>",
        "<a/><b/>",
        "<a></a><b></b>",
        "<a b></a>",
        "<a b='1' b='2'/>",
        "< a='1'/>",
        "<a:/>",
        "<a b:='1'/>",
        "<a",
        "<!-- -->",
    ] {
        assert!(
            matches!(read(text), Err(XmlError::Malformed { .. })),
            "{text:?}: {:?}",
            read(text)
        );
    }
    for text in [
        "<!DOCTYPE a><a/>",
        "<a>&x;</a>",
        "<a b='&x;'/>",
        "<a>&#0;&#xFFFFFFFF;</a>",
    ] {
        assert!(
            matches!(read(text), Err(XmlError::Entities)),
            "{text:?}: {:?}",
            read(text)
        );
    }
}

proptest! {
    #[test]
    fn nothing_panics(text in "[<>/a-c =\"'&;!\\[\\]x-z#0-9?-]{0,200}") {
        let _ = read(&text);
    }
}
