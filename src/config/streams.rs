//! `[[camera.stream]]`: further streams of a camera, which show what its main one shows.

use super::document;
use super::types::{Encoder, Source, Stream};
use super::validate::Validator;
use std::collections::HashSet;

/// A VMS is told it with `encoder-config-` before it, and ONVIF's tokens have 64 at most.
const LONGEST_NAME: usize = 32;

impl Validator<'_> {
    /// Those of a camera whose main stream is `main`; mistakes are noted. Login, transport
    /// and waiting times are the camera's, and so is the encoder, but for the bits it spends.
    pub(super) fn streams(
        &mut self,
        all: &[document::Stream],
        main: &Source,
        encoder: Encoder,
    ) -> Vec<Stream> {
        let mut names = HashSet::new();
        let mut urls = HashSet::from([main.url.as_str()]);
        let mut streams = Vec::new();
        for s in all {
            let name = s.name.get_ref();
            let plain = |ch: char| ch.is_ascii_alphanumeric() || ch == '-' || ch == '_';
            if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(plain) {
                self.at(
                    &s.name,
                    "is no name for a stream",
                    "use 1 to 32 letters, digits, `-` and `_`: it ends the masked stream's path",
                );
            } else if name == "main" {
                self.at(
                    &s.name,
                    "is the camera's own `url`",
                    "name further streams otherwise, for example \"sub\"",
                );
            } else if !names.insert(name) {
                self.at(
                    &s.name,
                    "names a second stream of this camera",
                    "give every stream of a camera a name of its own",
                );
            }
            self.url(&s.url, &["rtsp"]);
            if !urls.insert(s.url.get_ref()) {
                // Not quoted, as long as nobody knows what is in it.
                self.unquoted(
                    &s.url,
                    "the address is one of another stream of this camera",
                    "name the address of the camera's stream in the other size",
                );
            }
            streams.push(Stream {
                name: name.clone(),
                source: Source {
                    url: s.url.get_ref().clone(),
                    ..main.clone()
                },
                encoder: Encoder {
                    bitrate_kbit: self.number(&s.bitrate_kbit, 100..=100_000, "kbit/s"),
                    ..encoder
                },
            });
        }
        streams
    }
}
