//! What was recorded: detectors, the period, versions, the audit log, and how to
//! check this file.

use super::super::figures::Figures;
use super::super::language::Language;
use super::super::models::Looked;
use super::super::period::Tally;
use super::super::span::{seconds, written};
use super::{head, words};
use crate::archive::{State, Version};
use crate::audit::{PublicKey, Report};
use crate::config::{Sound, Style, WhenSilent};
use maud::{Markup, html};

pub(super) fn write(figures: &Figures<'_>, l: Language, key: &PublicKey) -> Markup {
    html! {
        section { h2 { (l.say("Faces and plates", "Gezichten en kentekens")) } (detectors(figures, l)) }
        section { h2 { (l.say("Sound", "Geluid")) } p { (sound(figures.camera.sound, l)) } }
        section { h2 { (l.say("The period", "De periode")) }
            @match &figures.tally {
                Ok(tally) => (period(figures, tally, l)),
                Err(why) => (unreadable(l, why)),
            }
        }
        section { h2 { (l.say("Versions of the zones", "Versies van de zones")) } (versions(figures, l)) }
        section { h2 { (l.say("The audit log", "Het logboek")) }
            @match &figures.report {
                Ok(report) => (log(figures, report, l)),
                Err(why) => (unreadable(l, why)),
            }
        }
        section { h2 { (l.say("Checking this file", "Dit bestand controleren")) } (checking(l, key)) }
    }
}

/// As it is configured when this is made.
fn sound(sound: Sound, l: Language) -> &'static str {
    match sound {
        Sound::Drop => l.say(
            "The gateway never receives this camera's sound. The masked stream has none.",
            "De gateway ontvangt het geluid van deze camera nooit. De gemaskeerde stroom heeft geen geluid."),
        Sound::Mute => l.say(
            "The gateway never receives this camera's sound. The masked stream has a track of silence.",
            "De gateway ontvangt het geluid van deze camera nooit. De gemaskeerde stroom heeft een spoor met stilte."),
        Sound::Pass => l.say(
            "This camera's sound leaves as it comes, wherever the camera looks, also while its picture is hidden: \
             whoever may watch hears what is said near it.",
            "Het geluid van deze camera gaat ongewijzigd door, waar de camera ook kijkt, ook terwijl het beeld \
             verborgen is: wie mag kijken, hoort wat er in de buurt wordt gezegd."),
    }
}

fn unreadable(l: Language, why: &str) -> Markup {
    html! { p {
        strong { (l.say("The audit log cannot be read. ", "Het logboek kan niet worden gelezen. ")) }
        span lang="en" { (why) }
    } }
}

fn detectors(figures: &Figures<'_>, l: Language) -> Markup {
    let Some(detect) = &figures.camera.detect else {
        return html! { p { (l.say(
        "On this camera nothing is looked for: only zones are hidden, people and plates outside of them are seen.",
        "Bij deze camera wordt nergens naar gezocht: alleen zones zijn verborgen, mensen en kentekens daarbuiten zijn te zien.")) } };
    };
    let looking = figures.live.and_then(|live| live.looking);
    html! {
        p {
            (match detect.style {
                Style::Solid => l.say("What is found is hidden in grey. ", "Wat wordt gevonden, wordt grijs verborgen. "),
                Style::Mosaic => l.say("What is found is shown as at most 5×5 flat colours. ", "Wat wordt gevonden, is te zien als hoogstens 5×5 effen kleuren. "),
            })
            (match detect.when_silent {
                WhenSilent::Cover => l.say("When the detector has not looked for too long, the whole picture is hidden. ", "Heeft de detector te lang niet gekeken, dan wordt het hele beeld verborgen. "),
                WhenSilent::ZonesOnly => l.say("When the detector has not looked for too long, only zones are hidden. ", "Heeft de detector te lang niet gekeken, dan zijn alleen de zones verborgen. "),
            })
            (l.say("Too long is ", "Te lang is ")) (l.duration(detect.max_silence.as_secs_f64())) "."
        }
        @for looked in &figures.looked { (model(looked, l)) }
        h3 { (l.say("When this was made", "Bij het maken")) }
        @match looking {
            Some(looking) => p {
                (l.number(looking.looks_hz, 1)) (l.say(" looks a second, each known after ", " blikken per seconde, elk bekend na ")) (l.number(looking.look_ms, 0)) " ms; "
                (l.count(looking.tiles as u64)) (l.say(" parts of the picture are looked at in their own size, ", " delen van het beeld worden op ware grootte bekeken, "))
                (l.count(looking.tiles_overdue as u64)) (l.say(" of them later than they should. Since the start ", " daarvan later dan zou moeten. Sinds de start gingen "))
                (l.count(looking.frames_before_their_look)) (l.say(" frames left before the look after them was done.", " beelden weg voordat de blik erna klaar was."))
            },
            None => p { (l.say("Nothing is known about the detector now: the gateway was not asked, or has not looked yet.",
                "Over de detector op dit moment is niets bekend: de gateway is niet gevraagd, of heeft nog niet gekeken.")) },
        }
    }
}

fn model(looked: &Looked, l: Language) -> Markup {
    let names = l.say(
        [
            "Measured on",
            "Input",
            "Threshold",
            "Found",
            "≥ 90 % covered",
            "False, a picture",
        ],
        [
            "Gemeten op",
            "Invoer",
            "Drempel",
            "Gevonden",
            "≥ 90 % bedekt",
            "Onterecht per beeld",
        ],
    );
    html! {
        h3 { (words::class(l, looked.class)) ": " (looked.model.as_deref().unwrap_or("–")) }
        p { code {
            @match &looked.sha256 {
                Ok(sum) => { "SHA-256 " (sum) }
                Err(why) => { "SHA-256: " (why) }
            }
            @if let Some(licence) = &looked.licence { ", " (licence) }
        } }
        @if looked.published.is_empty() {
            p { (l.say("No figures were published about this model with greyplane.", "Over dit model zijn bij greyplane geen cijfers gepubliceerd.")) }
        } @else {
            table {
                (head(&names))
                tbody { @for f in &looked.published { tr {
                    td { span lang="en" { (f.on) } " (" (f.source) ")" }
                    td { (f.input_long_side) } td { (l.number(f.threshold, 2)) }
                    td { (l.number(f.recall_percent, 0)) " %" } td { (l.number(f.covered_percent, 0)) " %" }
                    td { (l.number(f.false_positives, 2)) }
                } } }
            }
        }
    }
}

fn period(figures: &Figures<'_>, tally: &Tally, l: Language) -> Markup {
    let all = figures.span.seconds().max(1e-9);
    let row = |what: &str, s: f64| html! { tr { td { (what) } td.n { (l.duration(s)) } td.n { (l.percent(s / all)) } } };
    let mut covered: Vec<(&String, &f64)> = tally.covered_s.iter().collect();
    covered.sort_by(|a, b| b.1.total_cmp(a.1));
    let more = tally.all_losses.saturating_sub(tally.losses.len() as u64);
    html! {
        p.plain { (l.say("From the records of the audit log: every change of the camera's state, every start and stop of the gateway.",
            "Uit de regels van het logboek: elke verandering van de toestand van de camera, elke start en stop van de gateway.")) }
        table {
            (head(&l.say(["State", "Time", "Share of the period"], ["Toestand", "Tijd", "Deel van de periode"])))
            tbody {
                (row(l.say("shown, zones hidden", "te zien, zones verborgen"), tally.shown_s))
                @for (code, s) in covered { (row(&format!("{}: {}", l.say("hidden", "verborgen"), words::code(l, code)), *s)) }
                @for (why, s) in &tally.unknown_s { (row(&format!("{}: {}", l.say("not known", "niet bekend"), words::unknown(l, *why)), *s)) }
            }
        }
        p {
            (l.say("Painted pictures that did not read back as hidden, and were covered: ", "Beelden waarin het afdekken bij controle niet klopte; die zijn helemaal afgedekt: "))
            (l.count(tally.read_back_failures)) ". "
            (l.say("Clear stills that were fetched for setting up: ", "Onafgedekte beelden die voor het instellen zijn opgehaald: "))
            (l.count(tally.clear_stills)) ". "
            @if tally.lost_records > 0 {
                strong { (l.say(format!("{} records of this period could not be written: the times above may lack changes.", l.count(tally.lost_records)),
                    format!("{} regels van deze periode konden niet worden geschreven: in de tijden hierboven kunnen veranderingen ontbreken.", l.count(tally.lost_records)))) }
            }
        }
        @if tally.losses.is_empty() {
            p { (l.say("The whole picture was hidden at no time of this period, as far as the log tells.", "Volgens het logboek was in deze periode nooit het hele beeld verborgen.")) }
        } @else {
            h3 { (l.say("Times without a picture", "Tijden zonder beeld")) " (" (l.count(tally.all_losses)) ")" }
            table {
                (head(&l.say(["From (UTC)", "To", "Time", "Why", "As told then"], ["Van (UTC)", "Tot", "Tijd", "Waarom", "Zoals toen gemeld"])))
                tbody { @for loss in &tally.losses { tr {
                    td { (written(loss.from)) } td { (written(loss.to)) }
                    td { (l.duration(seconds(loss.from, loss.to))) }
                    td { (words::code(l, &loss.code)) } td lang="en" { (loss.reason) }
                } } }
            }
            @if more > 0 { p { (l.say(format!("{} shorter ones are not listed.", l.count(more)), format!("{} kortere staan er niet bij.", l.count(more)))) } }
        }
    }
}

fn versions(figures: &Figures<'_>, l: Language) -> Markup {
    if let Err(why) = &figures.known {
        return html! { p {
            strong { (l.say("The versions cannot be read. ", "De versies kunnen niet worden gelezen. ")) } span lang="en" { (why) }
        } };
    }
    let versions = figures.versions();
    html! {
        @if versions.is_empty() {
            p { (l.say("No version is kept: the zones were never saved or looked at through the console.",
                "Er wordt geen versie bewaard: de zones zijn nooit via de console opgeslagen of bekeken.")) }
        } @else {
            p.plain { (l.say("Those of the period, and the one in force when it began.", "Die van de periode, en de versie die gold toen de periode begon.")) }
            table {
                (head(&l.say(["No.", "Saved (UTC)", "Author", "Second person", "Reason", "State"], ["Nr.", "Opgeslagen (UTC)", "Auteur", "Tweede persoon", "Reden", "Toestand"])))
                tbody { @for v in versions { tr {
                    td { (v.number) } td { (words::moment(&v.saved)) } td { (v.author) }
                    td { (v.second.as_deref().unwrap_or("–")) }
                    td {
                        (v.reason.as_deref().unwrap_or("–"))
                        @if let Some(n) = v.restores { br; (l.say(format!("brings back version {n}"), format!("zet versie {n} terug"))) }
                        @if v.covers_less { br; span.mark { (l.say("hides less than the version before", "verbergt minder dan de versie ervoor")) } }
                    }
                    td { (of(v, l)) br; code { (v.sha256.get(..12).unwrap_or("")) "…" } }
                } } }
            }
        }
    }
}

fn of(version: &Version, l: Language) -> &'static str {
    match version.state {
        State::Past => l.say("past", "vervallen"),
        State::Active => l.say("in force", "van kracht"),
        State::Proposed => l.say("waits for a second person", "wacht op een tweede persoon"),
        State::Refused => l.say("refused", "geweigerd"),
    }
}

fn log(figures: &Figures<'_>, report: &Report, l: Language) -> Markup {
    let range = figures
        .tally
        .as_ref()
        .ok()
        .and_then(|t| t.first_seq.zip(t.last_seq).map(|r| (r, t.records)));
    html! {
        dl.facts {
            dt { (l.say("Records of the period", "Regels van de periode")) }
            dd { @match range {
                Some(((first, last), n)) => { (first) " – " (last) " (" (l.count(n)) ")" }
                None => (l.say("none", "geen")),
            } }
            dt { (l.say("Last record of the log", "Laatste regel van het logboek")) }
            dd { code { (report.last.map_or_else(|| "–".to_owned(), |last| last.to_string())) } }
            dt { (l.say("Checked when this was made", "Nagegaan bij het maken")) }
            dd {
                @if report.is_whole() {
                    (l.say(format!("whole: {} records are what was written, in one chain, all signed", l.count(report.records)),
                        format!("compleet en ongewijzigd: {} regels zijn wat er geschreven is, in één keten, alle ondertekend", l.count(report.records))))
                } @else {
                    strong.mark { (l.say("NOT whole", "NIET compleet en ongewijzigd")) }
                    (l.say(format!("; {} records are what was written", l.count(report.records)), format!("; {} regels zijn wat er geschreven is", l.count(report.records))))
                }
            }
        }
        @if !report.faults.is_empty() {
            ul lang="en" {
                @for fault in &report.faults { li { (fault) } }
                @if report.more_faults > 0 { li { "and " (report.more_faults) " more" } }
            }
        }
    }
}

fn checking(l: Language, key: &PublicKey) -> Markup {
    html! {
        p { (l.say(
            "The block below holds the SHA-256 of everything above it in this file, byte for byte, and a signature (Ed25519) over the same bytes, made with \
             the key of this gateway's audit log. Any changed byte is found by:",
            "Het blok hieronder bevat de SHA-256 van alles wat er in dit bestand boven staat, byte voor byte, en een handtekening (Ed25519) over dezelfde \
             bytes, gezet met de sleutel van het logboek van deze gateway. Elke gewijzigde byte wordt gevonden door:")) }
        p { code { "greyplane proof verify FILE --key " (key) } }
        p {
            (l.say("The key above is only worth something when it came to you another way than with this file: ask the municipality for what ",
                "De sleutel hierboven is alleen iets waard als u die langs een andere weg dan met dit bestand kreeg: vraag de gemeente wat "))
            code { "greyplane audit head" }
            (l.say(" prints on the gateway. A printed copy cannot be checked; ask for the file.",
                " op de gateway afdrukt. Een afdruk op papier is niet te controleren; vraag om het bestand."))
        }
    }
}
