//! The first page: for somebody who lives there.

use super::super::claim::{About, Claim, Claims};
use super::super::figures::{Figures, Hidden};
use super::super::language::Language;
use super::super::period::Tally;
use super::words;
use crate::zone::{Mode, Zone};
use maud::{Markup, html};

/// Zones that are answered one by one here; the table has all.
const ANSWERED: usize = 40;
/// Places to be seen that are named in a sentence.
const NAMED: usize = 8;

pub(super) fn write(figures: &Figures<'_>, l: Language) -> Markup {
    html! {
        section {
            h2 { (l.say("In short", "In het kort")) }
            p {
                (l.say(
                    "The picture of this camera goes through greyplane before anybody sees it. Places that are \
                     private are painted over with a grey plane, which turns along with the camera. Where the \
                     gateway is not sure where the camera looks, it hides the whole picture.",
                    "Het beeld van deze camera gaat door greyplane voordat iemand het ziet. Plekken die privé zijn, \
                     worden overgeschilderd met een grijs vlak dat met de camera meedraait. Weet de gateway niet \
                     zeker waar de camera kijkt, dan verbergt hij het hele beeld."))
            }
            h3 { (l.say("Can the camera look in there?", "Kan de camera daar naar binnen kijken?")) }
            @match &figures.hidden {
                Ok(hidden) => (answers(figures, hidden, l)),
                Err(why) => ul.answers { li.note {
                    (l.say("The zones cannot be used, so the gateway hides the whole picture, always. Nothing of this \
                        camera's picture is shown until that is mended. What is wrong: ",
                        "De zones zijn niet bruikbaar, dus verbergt de gateway altijd het hele beeld. Er is niets van \
                        het beeld van deze camera te zien tot dat is hersteld. Wat er mis is: "))
                    span lang="en" { (why) }
                } },
            }
            h3 { (l.say("In this period", "In deze periode")) }
            @match &figures.tally {
                Ok(tally) => (period(figures, tally, l)),
                Err(why) => p {
                    (l.say("The audit log cannot be read, so nothing can be said about the period: ",
                        "Het logboek kan niet worden gelezen, dus over de periode is niets te zeggen: "))
                    span lang="en" { (why) }
                },
            }
            h3 { (l.say("What this document does not say", "Wat dit document niet zegt")) }
            (limits(l))
        }
    }
}

fn answers(figures: &Figures<'_>, hidden: &Hidden, l: Language) -> Markup {
    let zones = hidden.zones.zones();
    let Claims { claims, positions } = &hidden.claims;
    // What somebody must know comes first, however many there are.
    let (plain, told): (Vec<&Claim>, Vec<&Claim>) = claims.iter().partition(|c| is_hidden(c));
    let more = plain.len().saturating_sub(ANSWERED);
    html! {
        @if claims.is_empty() {
            ul.answers { li.note {
                (l.say("No zone hides anything: this camera is set up to see everything it can reach.",
                    "Geen enkele zone verbergt iets: deze camera mag alles zien wat hij kan bereiken."))
                @if let Some(reason) = &hidden.zones.document().nothing_private {
                    (l.say(" The reason that was given: “", " De reden die daarvoor is gegeven: “")) (reason) "”"
                }
            } }
        }
        @if !told.is_empty() {
            ul.answers {
                @for claim in told { (answer(figures, zones, claim, l)) }
            }
        }
        @if !plain.is_empty() {
            div.good {
                p { strong { (headline(figures, plain.len(), l)) } }
                ul.names {
                    @for claim in plain.into_iter().take(ANSWERED) {
                        li { (name(zones, claim.about, l)) span.what { " " (times(figures, claim, l)) } }
                    }
                }
                @if more > 0 {
                    p { (l.say(format!("And {} more: see the table of zones.", l.count(more as u64)),
                        format!("En nog {}: zie de tabel met zones.", l.count(more as u64)))) }
                }
            }
        }
        p.plain {
            @match &figures.stance {
                Ok(Some(_)) => (l.say(
                    format!("This was computed, not watched: {} positions of the camera were taken, spread over all that it \
                        can reach, at rest, at its widest, its narrowest and between. For each the gateway's own \
                        calculation said what it paints, and sampled directions of every place were looked up in it.",
                        l.count(*positions as u64)),
                    format!("Dit is berekend, niet bekeken: er zijn {} standen van de camera genomen, verspreid over alles wat \
                        hij kan bereiken, in rust, op zijn breedst, op zijn smalst en daartussen. Voor elke stand zei \
                        de berekening van de gateway zelf wat hij schildert, en daarin zijn richtingen uit elke plek \
                        opgezocht.", l.count(*positions as u64)))),
                _ => (l.say(
                    "This was computed, not watched: the gateway's own calculation said what it paints in this camera's \
                     picture, and sampled points of every place were looked up in it.",
                    "Dit is berekend, niet bekeken: de berekening van de gateway zelf zei wat hij in het beeld van deze camera \
                     schildert, en daarin zijn punten uit elke plek opgezocht.")),
            }
        }
    }
}

fn answer(figures: &Figures<'_>, zones: &[Zone], claim: &Claim, l: Language) -> Markup {
    let kind = match (claim.open, claim.reachable && claim.positions == 0) {
        (0, false) => "",
        (0, true) => "note",
        _ => "bad",
    };
    html! {
        li class=[(!kind.is_empty()).then_some(kind)] {
            strong { (name(zones, claim.about, l)) } " " (verdict(figures, claim, l))
            div.what { (counted(claim, l)) }
        }
    }
}

/// Nothing of it was ever open, and something of it was looked at.
fn is_hidden(claim: &Claim) -> bool {
    claim.open == 0 && claim.positions > 0
}

/// Of so many places, nothing was open in any picture that was looked at.
fn headline(figures: &Figures<'_>, places: usize, l: Language) -> String {
    let places = l.count(places as u64);
    match &figures.stance {
        Ok(Some(_)) => l.say(
            format!(
                "No. Hidden at each checked position that has the place in the picture ({places}):"
            ),
            format!(
                "Nee. Verborgen bij elke nagegane stand waarbij de plek in beeld is ({places}):"
            ),
        ),
        _ => l.say(
            format!("Hidden in this camera's picture ({places}):"),
            format!("Verborgen in het beeld van deze camera ({places}):"),
        ),
    }
}

fn times(figures: &Figures<'_>, claim: &Claim, l: Language) -> String {
    let n = l.count(claim.positions as u64);
    match &figures.stance {
        Ok(Some(_)) => l.say(format!("({n} positions)"), format!("({n} standen)")),
        _ => String::new(),
    }
}

/// What a claim is about, as people call it.
pub(super) fn name(zones: &[Zone], about: About, l: Language) -> String {
    match about {
        About::Inside(zone) => zones.get(zone).map_or_else(String::new, |zone| {
            zone.name.clone().unwrap_or_else(|| zone.id.clone())
        }),
        About::Outside => {
            let shown = zones.iter().filter(|z| z.mode == Mode::ShowOnly);
            let names = shown
                .take(NAMED)
                .map(|z| z.name.as_deref().unwrap_or(&z.id));
            let names = names.collect::<Vec<_>>().join(", ");
            l.say(
                format!("Everything outside of what may be seen ({names})"),
                format!("Alles buiten wat te zien mag zijn ({names})"),
            )
        }
    }
}

/// No more than what was looked at.
pub(super) fn verdict(figures: &Figures<'_>, claim: &Claim, l: Language) -> String {
    let stance = figures.stance.as_ref().ok().and_then(Option::as_ref);
    if claim.open > 0 {
        let at = claim.first_open.map(|at| words::position(l, stance, at));
        let at = at.map_or_else(String::new, |at| {
            l.say(
                format!(", first at {at}"),
                format!(", voor het eerst bij {at}"),
            )
        });
        return l.say(
            format!(
                "is NOT always hidden: in {} of {} looks a part was open{at}.",
                l.count(claim.open),
                l.count(claim.looks)
            ),
            format!(
                "is NIET altijd verborgen: bij {} van {} blikken was een deel open{at}.",
                l.count(claim.open),
                l.count(claim.looks)
            ),
        );
    }
    if claim.positions > 0 && stance.is_none() {
        return l.say("is hidden.".to_owned(), "is verborgen.".to_owned());
    }
    if claim.positions > 0 {
        let n = l.count(claim.positions as u64);
        return l.say(
            format!("is hidden at each of the {n} checked positions that have it in the picture."),
            format!("is verborgen bij alle {n} nagegane standen waarbij het in beeld is."),
        );
    }
    if claim.reachable {
        return l.say(
            "was in the picture at none of the checked positions: nothing is claimed about it."
                .to_owned(),
            "was bij geen van de nagegane standen in beeld: daarover wordt niets beweerd."
                .to_owned(),
        );
    }
    l.say(
        "cannot come into the picture: the camera does not reach there.".to_owned(),
        "kan niet in beeld komen: de camera komt daar niet.".to_owned(),
    )
}

pub(super) fn counted(claim: &Claim, l: Language) -> String {
    let (sampled, looks) = (l.count(claim.sampled as u64), l.count(claim.looks));
    let mut text = l.say(
        format!("{sampled} sampled directions; {looks} times one of them was in a picture"),
        format!("{sampled} richtingen nagegaan; {looks} keer was er één in beeld"),
    );
    if claim.corrected > 0 {
        let n = l.count(claim.corrected as u64);
        text += &l.say(
            format!("; {n} positions near presets at which this zone was corrected by hand are not counted, see their pictures"),
            format!("; {n} standen bij presets waar deze zone met de hand is bijgesteld tellen niet mee, zie hun beelden"),
        );
    }
    text
}

fn period(figures: &Figures<'_>, tally: &Tally, l: Language) -> Markup {
    let all = figures.span.seconds().max(1e-9);
    let covered: f64 = tally.covered_s.values().sum();
    let unknown: f64 = tally.unknown_s.values().sum();
    let [a, b] = [tally.shown_s, covered].map(|s| 1000.0 * s / all);
    html! {
        svg.bar viewBox="0 0 1000 40" preserveAspectRatio="none" role="img"
            aria-label=(l.say("Shares of the period", "Delen van de periode")) {
            rect.s-shown width=(format!("{a:.2}")) height="40" {}
            rect.s-covered x=(format!("{a:.2}")) width=(format!("{b:.2}")) height="40" {}
            rect.s-unknown x=(format!("{:.2}", a + b)) width=(format!("{:.2}", (1000.0 - a - b).max(0.0))) height="40" {}
        }
        p {
            span class="key k-shown" {} (l.say("shown with zones hidden: ", "te zien, met verborgen zones: "))
            (l.duration(tally.shown_s)) " (" (l.percent(tally.shown_s / all)) ")"
            br;
            span class="key k-hidden" {} (l.say("whole picture hidden: ", "hele beeld verborgen: "))
            (l.duration(covered)) " (" (l.percent(covered / all)) ")"
            br;
            span class="key k-unknown" {} (l.say("not running, or not known: ", "niet in bedrijf, of niet bekend: "))
            (l.duration(unknown)) " (" (l.percent(unknown / all)) ")"
        }
    }
}

fn limits(l: Language) -> Markup {
    html! {
        ul {
            li { (l.say(
                "Positions between the checked ones, and a camera in motion, were not checked here. In motion the zones \
                 become larger, or the whole picture is hidden.",
                "Standen tussen de nagegane standen, en een bewegende camera, zijn hier niet nagegaan. Bij beweging worden de \
                 zones groter, of wordt het hele beeld verborgen.")) }
            li { (l.say(
                "It holds as far as the camera tells truly where it looks and hangs as its profile says, and the zones are drawn \
                 where the houses are. A visit with the camera's live picture shows that.",
                "Het geldt voor zover de camera naar waarheid zegt waar hij kijkt en hangt zoals zijn profiel zegt, en de zones \
                 staan waar de huizen zijn. Een bezoek ter plaatse, met het livebeeld erbij, laat dat zien.")) }
            li { (l.say(
                "Whoever reaches the camera itself, before the gateway, sees its clear picture. Faces and plates are found by a \
                 detector, which can miss some: see its figures.",
                "Wie bij de camera zelf kan, vóór de gateway, ziet het onafgedekte beeld. Gezichten en kentekens worden gezocht door een \
                 detector, die er kan missen: zie de cijfers.")) }
        }
    }
}
