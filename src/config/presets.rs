//! `[[camera.preset]]`: a camera that cannot tell where it looks, but repeats its presets.

use super::document;
use super::types::Preset;
use super::validate::Validator;
use std::collections::HashSet;
use toml::Spanned;

/// What a zone document may call its camera has so many characters at most.
const LONGEST_PLACE: usize = 64;
/// Each is looked for in every picture.
const MOST: usize = 32;

impl Validator<'_> {
    /// Those of a camera; `None` where it cannot be one with presets at all. What belongs to
    /// cameras that tell their position is refused, and so is what nobody could answer for.
    pub(super) fn presets(&mut self, c: &document::Camera) -> Option<Vec<Preset>> {
        let before = self.problems();
        let position = "is of no use beside [[camera.preset]]: those are for cameras that cannot tell where they look";
        let keep = "leave out one of the two; where the camera tells its position, zones follow it everywhere";
        if let Some(profile) = &c.profile {
            self.at(profile, position, keep);
        }
        if let Some(telemetry) = &c.telemetry {
            self.at(&telemetry.device_url, position, keep);
        }
        if let Some(masks) = &c.masks {
            self.at(
                masks,
                "would be hidden at every preset: each shows other places",
                "name `masks` in each [[camera.preset]] instead",
            );
        }
        if let Some(stream) = c.stream.first() {
            self.at(
                &stream.name,
                "is a further stream, and of those nobody knows whether they move at the same moment",
                "leave [[camera.stream]] out for a camera with presets, or make it a camera of its own",
            );
        }
        if c.preset.len() > MOST {
            let remedy = format!("keep the {MOST} that are used");
            self.at(&c.id, "has too many presets", &remedy);
        }
        let mut ids = HashSet::new();
        let mut files = HashSet::new();
        for p in &c.preset {
            self.preset_id(&p.id);
            let place = Preset::place(c.id.get_ref(), p.id.get_ref());
            if place.len() > LONGEST_PLACE {
                let remedy = format!(
                    "its zone document would name it `{place}`, of which 64 characters are allowed: shorten one of the two ids"
                );
                self.at(&p.id, "is too long beside the camera's id", &remedy);
            }
            if !ids.insert(p.id.get_ref()) {
                self.at(
                    &p.id,
                    "names a second preset of this camera",
                    "give every preset of a camera an id of its own",
                );
            }
            if !files.insert(p.masks.get_ref()) {
                self.at(
                    &p.masks,
                    "is the zone document of another preset",
                    "give every preset a document of its own",
                );
            }
            if let Some(name) = p.name.as_ref().filter(|n| !fits(n.get_ref())) {
                self.at(name, "is no name", "use 1 to 200 characters in one line");
            }
        }
        if self.problems() > before {
            return None;
        }
        let camera = c.id.get_ref();
        let mut preset = |p: &document::Preset| Preset {
            masks: self.masks(&p.masks, &Preset::place(camera, p.id.get_ref()), false),
            masks_file: self.beside(p.masks.get_ref()),
            id: p.id.get_ref().clone(),
            name: p.name.as_ref().map(|name| name.get_ref().clone()),
        };
        Some(c.preset.iter().map(&mut preset).collect())
    }

    fn preset_id(&mut self, id: &Spanned<String>) {
        let text = id.get_ref();
        let plain = |ch: char| ch.is_ascii_alphanumeric() || ch == '-' || ch == '_';
        if text.is_empty() || text.len() > 32 || !text.chars().all(plain) {
            self.at(
                id,
                "is no id for a preset",
                "use 1 to 32 letters, digits, `-` and `_`",
            );
        }
    }
}

fn fits(name: &str) -> bool {
    let length = name.chars().count();
    (1..=200).contains(&length) && !name.chars().any(char::is_control)
}
