//! The camera, its zones, and drawings of what they hide.

use super::super::figures::{Drawn, Figures, Hidden, SWEEP_DEG, SizeFrom};
use super::super::language::Language;
use super::super::stance::Stance;
use super::{head, summary, words};
use crate::zone::{Mode, Zone, ZoneSet};
use maud::{Markup, html};

pub(super) fn write(figures: &Figures<'_>, l: Language) -> Markup {
    html! {
        section.details {
            h2 { (l.say("The camera", "De camera")) }
            (camera(figures, l))
        }
        @if let Ok(hidden) = &figures.hidden {
            section { h2 { (l.say("The zones", "De zones")) } (zones(figures, hidden, l)) }
            @if hidden.sphere.is_some() {
                section { h2 { (l.say("All around", "Rondom")) } (around(hidden, l)) }
            }
            section { h2 { (l.say("What the picture shows", "Wat het beeld laat zien")) } (pictures(figures, hidden, l)) }
        }
    }
}

fn camera(figures: &Figures<'_>, l: Language) -> Markup {
    let size = figures.size;
    html! {
        dl.facts {
            dt { (l.say("Name", "Naam")) } dd { (figures.camera.id) }
            @match &figures.stance {
                Ok(Some(stance)) => (turning(stance, l)),
                Ok(None) => {
                    dt { (l.say("Kind", "Soort")) }
                    dd { (l.say("fixed: it does not turn; its zones are places in the picture",
                        "vast: hij draait niet; zijn zones zijn plekken in het beeld")) }
                }
                Err(why) => {
                    dt { (l.say("Profile", "Profiel")) }
                    dd { (l.say("unreadable, so all of the picture is hidden: ",
                        "onleesbaar, dus is het hele beeld verborgen: ")) span lang="en" { (why) } }
                }
            }
            dt { (l.say("Picture", "Beeld")) }
            dd {
                (size.width) "×" (size.height) ", "
                (match figures.size_from {
                    SizeFrom::Camera => l.say("as it comes now", "zoals het nu komt"),
                    SizeFrom::Log => l.say("as the log last told it", "zoals het logboek het laatst meldde"),
                    SizeFrom::Assumed => l.say("assumed: nothing has told its size", "aangenomen: nergens is de maat gemeld"),
                })
            }
            @if let Some(live) = figures.live {
                dt { (l.say("State when this was made", "Toestand bij het maken")) }
                dd { (state(l, &live.state)) }
            }
        }
    }
}

fn state(l: Language, name: &str) -> &str {
    match name {
        "live" => l.say("live", "live"),
        "widened" => l.say("live, zones widened", "live, zones verruimd"),
        "covered" => l.say("whole picture hidden", "hele beeld verborgen"),
        "no-signal" => l.say("no signal", "geen signaal"),
        other => other,
    }
}

fn turning(stance: &Stance, l: Language) -> Markup {
    let (document, deg) = (stance.profile.document(), |v| l.degrees(v, 1));
    let mount = document.mount;
    let [widest, narrowest] = stance.zooms().map(|zoom| stance.hfov_deg(zoom));
    let ([left, right], [low, high]) = (stance.pan_deg(), stance.tilt_deg());
    html! {
        dt { (l.say("Profile", "Profiel")) } dd { (document.name) }
        dt { (l.say("Hangs", "Hangt")) }
        dd {
            (if mount.upside_down { l.say("upside down", "ondersteboven") } else { l.say("upright", "rechtop") })
            ", " (l.say("its pan 0 looks to ", "pan 0 kijkt naar ")) (deg(mount.pan_deg))
            ", " (l.say("leans ", "helt ")) (deg(mount.pitch_deg)) " / " (deg(mount.roll_deg))
        }
        dt { (l.say("Reaches", "Bereikt")) }
        dd {
            "pan " (deg(left)) " … " (deg(right))
            @if stance.is_endless() { (l.say(" without end", " zonder einde")) }
            ", tilt " (deg(low)) " … " (deg(high)) ", "
            (l.say("pictures from ", "beelden van ")) (deg(widest)) (l.say(" to ", " tot ")) (deg(narrowest))
            (l.say(" wide", " breed"))
        }
        dt { (l.say("Exactness", "Nauwkeurigheid")) }
        dd {
            (l.say("position ±", "stand ±")) (l.degrees(2.0 * document.sigma.angle_deg, 2))
            ", " (l.say("parallax up to ", "parallax tot ")) (l.degrees(document.sigma.parallax_deg, 2))
            (l.say(", as the profile says; zones are grown by it", ", volgens het profiel; zones worden daarmee vergroot"))
        }
    }
}

fn zones(figures: &Figures<'_>, hidden: &Hidden, l: Language) -> Markup {
    let set = &hidden.zones;
    let names = l.say(
        ["No.", "Name", "What it does", "Where", "Found"],
        ["Nr.", "Naam", "Wat de zone doet", "Waar", "Bevinding"],
    );
    let claim = |zone: usize| {
        let about = super::super::claim::About::Inside(zone);
        hidden.claims.claims.iter().find(|c| c.about == about)
    };
    html! {
        table {
            (head(&names))
            tbody {
                @for (i, zone) in set.zones().iter().enumerate() {
                    tr {
                        td.id { (i + 1) }
                        td { (zone.name.as_deref().unwrap_or(&zone.id)) @if zone.name.is_some() { br; code { (zone.id) } } }
                        td { (mode(l, zone)) }
                        td { (place(set, i, l)) }
                        td {
                            @match claim(i) {
                                Some(claim) => { (summary::verdict(figures, claim, l)) div.what { (summary::counted(claim, l)) } }
                                None => (l.say("may be seen", "mag te zien zijn")),
                            }
                        }
                    }
                }
                @for claim in hidden.claims.claims.iter().filter(|c| c.about == super::super::claim::About::Outside) {
                    tr { td {} td colspan="3" { (summary::name(set.zones(), claim.about, l)) } td { (summary::verdict(figures, claim, l)) } }
                }
            }
        }
    }
}

fn mode(l: Language, zone: &Zone) -> &'static str {
    match zone.mode {
        Mode::Hide => l.say("hides its inside", "verbergt de binnenkant"),
        Mode::ShowOnly => l.say("hides all outside of it", "verbergt alles erbuiten"),
    }
}

fn place(set: &ZoneSet, zone: usize, l: Language) -> String {
    if let Some(polygon) = set.sphere_polygon(zone) {
        let (pan, tilt) = polygon.cap().centre.pan_tilt();
        let [pan, tilt] = [pan, tilt].map(|a| l.degrees(a.deg(), 1));
        let across = l.degrees(2.0 * polygon.cap().radius.deg(), 1);
        return l.say(
            format!("around pan {pan}, tilt {tilt}; {across} across"),
            format!("rond pan {pan}, tilt {tilt}; {across} groot"),
        );
    }
    let points = set.image_polygon(zone).map_or(0, |p| p.points().len());
    l.say(
        format!("{points} corners in the picture"),
        format!("{points} hoeken in het beeld"),
    )
}

fn around(hidden: &Hidden, l: Language) -> Markup {
    let Some((measured, chart)) = &hidden.sphere else {
        return html! {};
    };
    let (shares, n) = (measured.shares, l.count(measured.directions as u64));
    let out = 1.0 - shares.reachable;
    let error = format!("{} %", l.number(100.0 * measured.error, 2));
    let reached = if shares.reachable > 0.0 {
        shares.both / shares.reachable
    } else {
        0.0
    };
    html! {
        figure {
            (chart.svg(l.say("All directions: hidden, reachable, out of reach", "Alle richtingen: verborgen, bereikbaar, buiten bereik")))
            figcaption {
                span class="key k-hidden" {} (l.say("zone, hidden", "zone, verborgen"))
                span class="key k-open" {} (l.say("can be seen", "kan te zien zijn"))
                span class="key k-out" {} (l.say("never in the picture", "nooit in beeld"))
                span class="key k-preset" {} "preset"
                br;
                (l.say("Pan from left to right, tilt from bottom to top, in cells of 2°. Numbers are those of the table. Areas near the top and bottom look larger than they are.",
                    "Pan van links naar rechts, tilt van onder naar boven, in vakjes van 2°. De nummers zijn die van de tabel. Bij de boven- en onderrand lijkt alles groter dan het is."))
            }
        }
        table {
            (head(&l.say(["Of all directions around the camera", "Share"], ["Van alle richtingen rond de camera", "Deel"])))
            tbody {
                tr { td { (l.say("inside the zones, hidden", "binnen de zones, verborgen")) } td { (l.percent(shares.hidden)) } }
                tr { td { (l.say("within reach of the camera", "binnen bereik van de camera")) } td { (l.percent(shares.reachable)) } }
                tr { td { (l.say("never in the picture", "nooit in beeld")) } td { (l.percent(out)) } }
                tr { td { (l.say("within reach and hidden", "binnen bereik en verborgen")) } td { (l.percent(shares.both)) } }
                tr { td { (l.say("of what is within reach, hidden", "van wat binnen bereik is, verborgen")) } td { (l.percent(reached)) } }
            }
        }
        p.plain { (l.say(
            format!("Counted over {n} directions spread evenly; each share may be off by {error} of all directions. Zones as drawn, \
                without the margin that the gateway adds. A direction counts as within reach when it is at most 1.5° outside of \
                some picture at the widest zoom: rather too much than too little."),
            format!("Geteld over {n} gelijk verdeelde richtingen; elk deel kan er {error} van alle richtingen naast zitten. De zones \
                zoals getekend, zonder de marge die de gateway toevoegt. Een richting geldt als binnen bereik als ze hoogstens 1,5° \
                buiten een beeld op de breedste stand ligt: liever te veel dan te weinig."))) }
    }
}

fn pictures(figures: &Figures<'_>, hidden: &Hidden, l: Language) -> Markup {
    let stance = figures.stance.as_ref().ok().and_then(Option::as_ref);
    html! {
        p {
            span class="key k-hidden" {} (l.say("hidden by zones", "verborgen door zones"))
            span class="key k-open" {} (l.say("can be seen", "kan te zien zijn"))
            (l.say(". Each drawing is the gateway's own coverage for that position at rest, with its margin, without people: faces and plates \
                are hidden on top of it.",
                ". Elke tekening is de bedekking die de gateway zelf voor die stand in rust berekent, met marge en zonder mensen: gezichten en \
                kentekens worden daar bovenop verborgen."))
        }
        @if !hidden.presets.is_empty() {
            h3 { "Presets" }
            div.pictures {
                @for preset in &hidden.presets {
                    figure {
                        (preset.drawn.tile.svg(&preset.name))
                        figcaption {
                            strong { (preset.name) } br;
                            (caption(&preset.drawn, stance, l))
                            @if preset.trims > 0 {
                                br; (l.say("zones corrected by hand here: ", "hier met de hand bijgestelde zones: ")) (preset.trims)
                            }
                        }
                    }
                }
            }
            @if hidden.more_presets > 0 {
                p { (l.say("Presets that are not drawn: ", "Presets die niet zijn getekend: ")) (hidden.more_presets) "." }
            }
        }
        @if let Some(stance) = stance {
            h3 { (l.say("All around, at the widest zoom", "Rondom, op de breedste stand")) }
            p.plain { (l.say(
                format!("A picture every {} of pan, in rows of one tilt. Under each: pan, and the share that is hidden.", l.degrees(SWEEP_DEG, 0)),
                format!("Een beeld per {} pan, in rijen van één tilt. Eronder: pan, en het deel dat verborgen is.", l.degrees(SWEEP_DEG, 0)))) }
            @for row in &hidden.sweep {
                @if let Some(first) = row.first().and_then(|d| d.position) {
                    h3 { "Tilt " (l.degrees(first.tilt_deg, 1)) ", " (l.degrees(stance.hfov_deg(first.zoom), 1)) (l.say(" wide", " breed")) }
                }
                div.row {
                    @for drawn in row {
                        figure {
                            @let pan = drawn.position.map_or(0.0, |p| p.pan_deg);
                            (drawn.tile.svg(&format!("pan {}", l.degrees(pan, 0))))
                            figcaption { (l.degrees(pan, 0)) " · " (l.percent(drawn.share)) }
                        }
                    }
                }
            }
        } @else {
            @for drawn in hidden.sweep.iter().flatten() {
                figure.one {
                    (drawn.tile.svg(l.say("The camera's picture", "Het beeld van de camera")))
                    figcaption { (caption(drawn, None, l)) }
                }
            }
        }
    }
}

fn caption(drawn: &Drawn, stance: Option<&Stance>, l: Language) -> Markup {
    html! {
        @if let Some(at) = drawn.position { (words::position(l, stance, at)) br; }
        (l.say("hidden: ", "verborgen: ")) (l.percent(drawn.share))
        @if let Some(margin) = drawn.margin_deg {
            (l.say(", margin ", ", marge ")) (l.degrees(margin, 2))
        }
        @if let Some(why) = &drawn.covered {
            br; (l.say("whole picture hidden: ", "hele beeld verborgen: ")) span lang="en" { (why) }
        }
    }
}
