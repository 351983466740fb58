//! From bytes to a checked document, with everything that is wrong at once.

use std::collections::HashMap;

use super::Mode;
use super::document::{Document, FORMAT, PicturePoint, Preset, Shape, SpherePoint, Trim, Zone};
use super::error::ZoneErrors;
use super::json::{Node, Step};
use super::reader::Reader;
use crate::geom::{Angle, Direction, ImagePoint, ImagePolygon, PolygonFault, SpherePolygon};

/// The largest document that is looked at, bytes.
pub const MAX_DOCUMENT_BYTES: usize = 8 * 1024 * 1024;
/// The most points one zone may have.
pub const MAX_ZONE_POINTS: usize = 10_000;
/// The most points all zones together may have.
pub const MAX_POINTS: usize = 100_000;
/// The most presets.
pub const MAX_PRESETS: usize = 1_000;
/// The largest trim in pan and in tilt, degrees.
pub const MAX_TRIM_DEG: f64 = 5.0;

/// A zone's outline, ready to be projected.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outline {
    Sphere(SpherePolygon),
    Image(ImagePolygon),
}

/// Reads and checks `bytes`; the outlines are in the order of the zones.
/// `camera` is the camera the document must be for, where that matters.
pub(super) fn read(
    bytes: &[u8],
    camera: Option<&str>,
) -> Result<(Document, Vec<Outline>), ZoneErrors> {
    let node = parse(bytes)?;
    let mut reader = Reader::new(bytes);
    let read = document(&mut reader, &node, camera);
    reader.finish()?;
    // Every part that failed has left an error; this is the door that stays
    // shut should one not have.
    read.ok_or_else(|| ZoneErrors::whole("the document could not be read", "report this file"))
}

fn parse(bytes: &[u8]) -> Result<Node, ZoneErrors> {
    if bytes.len() > MAX_DOCUMENT_BYTES {
        return Err(ZoneErrors::whole(
            format!(
                "{} bytes; at most {MAX_DOCUMENT_BYTES} are read",
                bytes.len()
            ),
            "draw coarser outlines",
        ));
    }
    serde_json::from_slice(bytes).map_err(|e| {
        let mut errors = ZoneErrors::whole(format!("not JSON: {e}"), "correct the text there");
        for error in &mut errors.errors {
            error.at = (e.line() > 0).then(|| (e.line(), e.column().max(1)));
        }
        errors
    })
}

fn document(
    r: &mut Reader<'_>,
    node: &Node,
    camera: Option<&str>,
) -> Option<(Document, Vec<Outline>)> {
    let top = r.object(
        node,
        &["format", "camera", "nothing_private", "zones", "presets"],
    )?;
    // What follows depends on the format: nothing more is said about another.
    r.required(&top, "format", |r, n| {
        let known = matches!(n, Node::Number(v) if *v == f64::from(FORMAT));
        if !known {
            r.wrong(
                "an unknown format of zone document",
                format!("this greyplane reads format {FORMAT}"),
            );
        }
        known.then_some(())
    })?;
    let camera = r.required(&top, "camera", |r, n| {
        let id = r.id(n)?;
        match camera {
            Some(wanted) if wanted != id => {
                r.wrong(
                    format!("the zones were drawn for camera `{id}`, not for `{wanted}`"),
                    "give this camera its own document",
                );
                None
            }
            _ => Some(id),
        }
    });
    let nothing_private = r.optional(&top, "nothing_private", Reader::label);
    let zones = r.required(&top, "zones", zones);
    if let Some(zones) = &zones {
        match (zones.read.is_empty(), top.get("nothing_private").is_some()) {
            (true, false) => r.wrong_at(
                Step::Key("zones".to_owned()),
                "no zones: everything would be seen".to_owned(),
                "draw zones, or say why nothing is private in `nothing_private`",
            ),
            (false, true) => r.wrong_at(
                Step::Key("nothing_private".to_owned()),
                "says that nothing is private, but there are zones".to_owned(),
                "remove the one or the other",
            ),
            _ => {}
        }
    }
    let ids = zones.as_ref().map(|z| &z.first_of);
    let presets = r.optional(&top, "presets", |r, n| presets(r, n, ids));

    let (zones, outlines) = all(zones?.read)?.into_iter().unzip();
    let document = Document {
        format: FORMAT,
        camera: camera?,
        nothing_private: nothing_private?,
        zones,
        presets: presets?.unwrap_or_default(),
    };
    Some((document, outlines))
}

fn all<T>(items: Vec<Option<T>>) -> Option<Vec<T>> {
    items.into_iter().collect()
}

/// The zones that could be read, and the ids of all, also of those with errors:
/// a trim for one of these is not wrong, too.
struct Zones {
    read: Vec<Option<(Zone, Outline)>>,
    first_of: HashMap<String, usize>,
}

fn zones(r: &mut Reader<'_>, node: &Node) -> Option<Zones> {
    let mut points_left = MAX_POINTS;
    let mut first_of = HashMap::new();
    let mut index = 0;
    let read = r.items(node, |r, n| {
        let zone = zone(r, n, index, &mut first_of, &mut points_left);
        index += 1;
        zone
    })?;
    Some(Zones { read, first_of })
}

fn zone(
    r: &mut Reader<'_>,
    node: &Node,
    index: usize,
    first_of: &mut HashMap<String, usize>,
    points_left: &mut usize,
) -> Option<(Zone, Outline)> {
    let members = r.object(node, &["id", "name", "mode", "shape"])?;
    let id = r.required(&members, "id", |r, n| unique_id(r, n, index, first_of));
    let name = r.optional(&members, "name", Reader::label);
    let mode = r.required(&members, "mode", |r, n| match r.text(n)? {
        "hide" => Some(Mode::Hide),
        "show-only" => Some(Mode::ShowOnly),
        other => {
            r.wrong(
                format!("unknown mode `{other}`"),
                "write \"hide\" or \"show-only\"",
            );
            None
        }
    });
    let (shape, outline) = r.required(&members, "shape", |r, n| shape(r, n, points_left))?;
    let zone = Zone {
        id: id?,
        name: name?,
        mode: mode?,
        shape,
    };
    Some((zone, outline))
}

/// An id that no earlier item has; it is remembered as `index`'s.
fn unique_id(
    r: &mut Reader<'_>,
    node: &Node,
    index: usize,
    first_of: &mut HashMap<String, usize>,
) -> Option<String> {
    let id = r.id(node)?;
    if let Some(first) = first_of.get(&id) {
        r.wrong(
            format!("the item with index {first} has the id `{id}` already"),
            "give each its own id",
        );
        return None;
    }
    first_of.insert(id.clone(), index);
    Some(id)
}

fn shape(r: &mut Reader<'_>, node: &Node, points_left: &mut usize) -> Option<(Shape, Outline)> {
    let members = r.object(node, &["type", "points"])?;
    let kind = r.required(&members, "type", |r, n| match r.text(n)? {
        kind @ ("sphere" | "image") => Some(kind),
        other => {
            r.wrong(
                format!("unknown type of shape `{other}`"),
                "write \"sphere\" or \"image\"",
            );
            None
        }
    })?;
    r.required(&members, "points", |r, n| {
        enough_points_left(r, n, points_left)?;
        if kind == "sphere" {
            let points = all(r.items(n, sphere_point)?)?;
            let directions = points
                .iter()
                .map(|p| {
                    Direction::from_pan_tilt(
                        Angle::from_deg(p.pan_deg),
                        Angle::from_deg(p.tilt_deg),
                    )
                })
                .collect();
            let polygon = simple(r, SpherePolygon::new(directions))?;
            Some((Shape::Sphere { points }, Outline::Sphere(polygon)))
        } else {
            let points = all(r.items(n, picture_point)?)?;
            let flat = points.iter().map(|p| ImagePoint { x: p.x, y: p.y });
            let polygon = simple(r, ImagePolygon::new(flat.collect()))?;
            Some((Shape::Image { points }, Outline::Image(polygon)))
        }
    })
}

/// Limits come before points: a document that is too long is not read on.
fn enough_points_left(r: &mut Reader<'_>, node: &Node, left: &mut usize) -> Option<()> {
    let count = r.list(node)?.len();
    if count > MAX_ZONE_POINTS {
        r.wrong(
            format!("{count} points; a zone has at most {MAX_ZONE_POINTS}"),
            "draw a coarser outline",
        );
        return None;
    }
    let Some(rest) = left.checked_sub(count) else {
        r.wrong(
            format!("all zones together have more than {MAX_POINTS} points"),
            "draw coarser outlines",
        );
        return None;
    };
    *left = rest;
    Some(())
}

fn sphere_point(r: &mut Reader<'_>, node: &Node) -> Option<SpherePoint> {
    let members = r.object(node, &["pan_deg", "tilt_deg"])?;
    let pan_deg = r.required(&members, "pan_deg", |r, n| r.number(n, -360.0, 360.0));
    let tilt_deg = r.required(&members, "tilt_deg", |r, n| r.number(n, -90.0, 90.0));
    Some(SpherePoint {
        pan_deg: pan_deg?,
        tilt_deg: tilt_deg?,
    })
}

fn picture_point(r: &mut Reader<'_>, node: &Node) -> Option<PicturePoint> {
    let members = r.object(node, &["x", "y"])?;
    let x = r.required(&members, "x", |r, n| r.number(n, -1.0, 2.0));
    let y = r.required(&members, "y", |r, n| r.number(n, -1.0, 2.0));
    Some(PicturePoint { x: x?, y: y? })
}

fn simple<T>(r: &mut Reader<'_>, polygon: Result<T, PolygonFault>) -> Option<T> {
    let fault = match polygon {
        Ok(polygon) => return Some(polygon),
        Err(fault) => fault,
    };
    let (point, remedy) = match fault {
        PolygonFault::TooFew(_) => (None, "draw at least three points"),
        PolygonFault::OutOfRange(i) => (Some(i), "write numbers in range"),
        PolygonFault::Repeated(_, i) => (Some(i), "remove one of the two points"),
        PolygonFault::Crosses(_, i) => (
            Some(i),
            "put the points in order around the place, or split the zone",
        ),
        PolygonFault::NoArea => (None, "draw points around the place"),
        PolygonFault::TooWide(_) => (None, "split the zone into smaller ones"),
    };
    match point {
        Some(i) => r.wrong_at(Step::Index(i), fault.to_string(), remedy),
        None => r.wrong(fault.to_string(), remedy),
    }
    None
}

fn presets(
    r: &mut Reader<'_>,
    node: &Node,
    zone_ids: Option<&HashMap<String, usize>>,
) -> Option<Vec<Preset>> {
    let count = r.list(node)?.len();
    if count > MAX_PRESETS {
        r.wrong(
            format!("{count} presets; at most {MAX_PRESETS} are possible"),
            "remove those that trim nothing",
        );
        return None;
    }
    let mut first_of = HashMap::new();
    let mut index = 0;
    let read = r.items(node, |r, n| {
        let preset = preset(r, n, index, &mut first_of, zone_ids);
        index += 1;
        preset
    });
    all(read?)
}

fn preset(
    r: &mut Reader<'_>,
    node: &Node,
    index: usize,
    first_of: &mut HashMap<String, usize>,
    zone_ids: Option<&HashMap<String, usize>>,
) -> Option<Preset> {
    let keys = ["id", "name", "pan_deg", "tilt_deg", "zoom", "trims"];
    let members = r.object(node, &keys)?;
    let id = r.required(&members, "id", |r, n| unique_id(r, n, index, first_of));
    let name = r.optional(&members, "name", Reader::label);
    let pan_deg = r.required(&members, "pan_deg", |r, n| r.number(n, -360.0, 360.0));
    let tilt_deg = r.required(&members, "tilt_deg", |r, n| r.number(n, -180.0, 180.0));
    let zoom = r.required(&members, "zoom", |r, n| r.number(n, -1e9, 1e9));
    let trims = r.optional(&members, "trims", |r, n| {
        let mut trimmed = HashMap::new();
        let mut index = 0;
        let trims = r.items(n, |r, n| {
            let trim = trim(r, n, index, &mut trimmed, zone_ids);
            index += 1;
            trim
        });
        all(trims?)
    });
    Some(Preset {
        id: id?,
        name: name?,
        pan_deg: pan_deg?,
        tilt_deg: tilt_deg?,
        zoom: zoom?,
        trims: trims?.unwrap_or_default(),
    })
}

fn trim(
    r: &mut Reader<'_>,
    node: &Node,
    index: usize,
    trimmed: &mut HashMap<String, usize>,
    zone_ids: Option<&HashMap<String, usize>>,
) -> Option<Trim> {
    let members = r.object(node, &["zone", "pan_deg", "tilt_deg"])?;
    let zone = r.required(&members, "zone", |r, n| {
        let zone = unique_id(r, n, index, trimmed)?;
        // Without a list of zones there is another error already.
        if zone_ids.is_some_and(|ids| !ids.contains_key(&zone)) {
            r.wrong(
                format!("there is no zone `{zone}`"),
                "write the id of a zone of this document, or remove the trim",
            );
            return None;
        }
        Some(zone)
    });
    let mut degrees = |key| {
        r.required(&members, key, |r, n| {
            r.number(n, -MAX_TRIM_DEG, MAX_TRIM_DEG)
        })
    };
    let (pan_deg, tilt_deg) = (degrees("pan_deg"), degrees("tilt_deg"));
    Some(Trim {
        zone: zone?,
        pan_deg: pan_deg?,
        tilt_deg: tilt_deg?,
    })
}
