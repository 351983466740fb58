//! The page: one file that needs nothing else, for the screen and for A4.
//!
//! Every text goes through the template, which escapes it: names and reasons are
//! what people typed. No script, no style from elsewhere, no other host, and a
//! policy in the page that forbids them.

mod record;
mod scene;
mod summary;
mod words;

use super::figures::Figures;
use super::language::Language;
use super::span::written;
use crate::audit::PublicKey;
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The page without its end.
pub(super) fn write(figures: &Figures<'_>, language: Language, key: &PublicKey) -> String {
    let l = language;
    let camera = &figures.camera.id;
    let title = l.say("Proof pack of camera", "Bewijspakket van camera");
    let body = html! {
        header {
            p.brand { "greyplane" }
            h1 { (title) " " (camera) }
            dl.facts {
                dt { (l.say("Period", "Periode")) }
                dd { (written(figures.span.from)) " – " (written(figures.span.to)) " UTC" }
                dt { (l.say("Made", "Gemaakt")) }
                dd { (written(figures.now)) " UTC, greyplane " (env!("CARGO_PKG_VERSION")) }
                dt { (l.say("Zones in force", "Zones van kracht")) }
                dd { (in_force(figures, l)) }
            }
        }
        (summary::write(figures, l))
        (scene::write(figures, l))
        (record::write(figures, l, key))
    };
    let head = html! {
        (DOCTYPE)
        (PreEscaped(format!("<html lang=\"{l}\">")))
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(POLICY);
            meta name="viewport" content="width=device-width";
            title { (title) " " (camera) }
            style { (PreEscaped(STYLE)) }
        }
        (PreEscaped("<body>"))
        main { (body) }
    };
    head.into_string()
}

/// Which version is in force, in a line.
fn in_force(figures: &Figures<'_>, l: Language) -> Markup {
    let known = match &figures.known {
        Ok(known) => known,
        Err(why) => {
            return html! { (l.say("unreadable: ", "onleesbaar: ")) span lang="en" { (why) } };
        }
    };
    let active = known
        .versions
        .iter()
        .find(|v| v.state == crate::archive::State::Active);
    html! {
        @match active {
            Some(v) => {
                (l.say("version ", "versie ")) (v.number)
                (l.say(", saved ", ", opgeslagen ")) (words::moment(&v.saved))
                (l.say(" by ", " door ")) (v.author)
            }
            None if known.versions.is_empty() => {
                (l.say("a document that was never saved through the console",
                    "een document dat nooit via de console is opgeslagen"))
            }
            None => {
                (l.say("a document without a version of its own (changed outside of the console)",
                    "een document zonder eigen versie (buiten de console gewijzigd)"))
            }
        }
        br;
        code { "SHA-256 " (known.sha256) }
    }
}

/// A table's head.
fn head(names: &[&str]) -> Markup {
    html! {
        thead { tr { @for name in names { th scope="col" { (name) } } } }
    }
}
