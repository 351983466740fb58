//! AV1 out of its RTP packets: temporal units, whole or not at all.
//!
//! AOM's "RTP Payload Format For AV1 (v1.0)". What a camera sends becomes the low-overhead form that
//! decoders read (AV1 specification, 5.2): a temporal delimiter, then OBUs with their sizes. Whatever
//! is not as written there costs its whole unit, and after anything that was lost nothing is given
//! until a unit with which decoding begins. GStreamer 1.22 has no depayloader for it.
//! Pure: must not know GStreamer, connections or time.

mod obu;
mod packet;
mod sequence;
#[cfg(test)]
mod tests;

use obu::{Contents, Obu, leb128};
pub use packet::Packet;

/// The largest unit that is put together, bytes, and the most that is ever held: a picture of 4K takes
/// less in the best quality.
pub const UNIT_AT_MOST: usize = 8 << 20;

/// The largest picture that is decoded, pixels: what a decoder takes for one, a few bytes decide.
pub const PIXELS_AT_MOST: u64 = 1 << 26;

/// What every unit begins with: a temporal delimiter of size 0.
const DELIMITER: [u8; 2] = [0x12, 0];

/// Why a unit is not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Packets are missing.
    #[error("packets are missing")]
    Lost,
    /// It leans on pictures that were not given.
    #[error("it leans on what was lost")]
    Leaning,
    /// It is not as the payload format, or AV1, wants it.
    #[error("{0}")]
    Malformed(&'static str),
    /// It has more than [`UNIT_AT_MOST`] bytes.
    #[error("a picture of more than {UNIT_AT_MOST} bytes")]
    TooLarge,
    /// It holds the picture in several sizes.
    #[error("the picture in several sizes (spatial layers)")]
    Layers,
}

/// Puts units together. Packets come in the order in which they were sent, those that never came left
/// out; each is first shown to [`Units::before`], then to [`Units::take`].
#[derive(Debug)]
pub struct Units {
    last: Option<u16>,
    /// Of the unit that packets belong to now.
    timestamp: Option<u32>,
    state: State,
    /// OBUs of this unit that are whole, with their sizes.
    whole: Vec<u8>,
    /// One that goes on in the next packet.
    part: Vec<u8>,
    goes_on: bool,
    /// The unit says that a coded video sequence begins with it.
    says_it_begins: bool,
    contents: Contents,
    /// Nothing is given until decoding begins anew.
    waits: bool,
}

/// How far the unit of the present timestamp is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// It was given, or could not be.
    Ended,
    /// Something in it was wrong: what comes of it is left out.
    GivenUp,
}

impl Default for Units {
    fn default() -> Self {
        Self {
            last: None,
            timestamp: None,
            state: State::Ended,
            whole: Vec::new(),
            part: Vec::new(),
            goes_on: false,
            says_it_begins: false,
            contents: Contents::default(),
            waits: true,
        }
    }
}

impl Units {
    /// The unit that ended without a marker, if `packet` is the first of the next one and none is
    /// missing between them.
    ///
    /// # Errors
    /// Why that unit is not given.
    pub fn before(&mut self, packet: &Packet<'_>) -> Result<Option<Vec<u8>>, Fault> {
        let next = self.last.map(|last| last.wrapping_add(1));
        let ends = self.state == State::Open
            && self.timestamp != Some(packet.timestamp)
            && next == Some(packet.sequence);
        if ends { self.finish() } else { Ok(None) }
    }

    /// Whether `packet` came before, and is to be left alone.
    pub fn is_repeated(&self, packet: &Packet<'_>) -> bool {
        self.last == Some(packet.sequence)
    }

    /// Whether decoding may begin with the unit that was given last, whatever its packets say.
    pub fn begins(&self) -> bool {
        self.contents.begins()
    }

    /// The unit that ends with `packet`, if it does.
    ///
    /// # Errors
    /// Why the unit of this packet will not be given; told once.
    pub fn take(&mut self, packet: &Packet<'_>) -> Result<Option<Vec<u8>>, Fault> {
        if self.is_repeated(packet) {
            return Ok(None);
        }
        let step = self.last.map(|last| packet.sequence.wrapping_sub(last));
        self.last = Some(packet.sequence);
        let is_lost = step.is_some_and(|step| step != 1);
        if packet.payload.is_empty() && !is_lost {
            return Ok(None); // Padding alone keeps a path open, and is no part of a unit.
        }
        let is_new = self.timestamp != Some(packet.timestamp);
        if is_new {
            self.begin(packet.timestamp);
        }
        if is_lost {
            // Of the unit before this one, of this one, or of those between them.
            return Err(self.give_up(Fault::Lost));
        }
        match self.state {
            State::GivenUp => return Ok(None),
            State::Ended => {
                let why = "packets of a picture after its last one";
                return Err(self.give_up(Fault::Malformed(why)));
            }
            State::Open => {}
        }
        if step.is_none() && packet.payload.first().is_some_and(|head| head & 0x80 != 0) {
            // The camera was sending before we listened.
            return Err(self.give_up(Fault::Lost));
        }
        match self.add(packet.payload, is_new) {
            Err(fault) => Err(self.give_up(fault)),
            Ok(()) if packet.marker => self.finish(),
            Ok(()) => Ok(None),
        }
    }

    fn begin(&mut self, timestamp: u32) {
        self.clear();
        self.whole.extend(DELIMITER);
        self.timestamp = Some(timestamp);
        self.state = State::Open;
    }

    fn clear(&mut self) {
        self.whole.clear();
        self.part.clear();
        self.goes_on = false;
        self.says_it_begins = false;
        self.contents = Contents::default();
    }

    fn give_up(&mut self, fault: Fault) -> Fault {
        self.clear();
        self.state = State::GivenUp;
        self.waits = true;
        fault
    }

    /// Takes one packet's aggregation header and OBU elements (4.3 and 4.4 of the payload format).
    fn add(&mut self, payload: &[u8], is_first: bool) -> Result<(), Fault> {
        let Some((head, mut rest)) = payload.split_first() else {
            return Ok(());
        };
        let (continues, goes_on) = (head & 0x80 != 0, head & 0x40 != 0);
        let counted = usize::from(head >> 4 & 3);
        if continues != self.goes_on {
            return Err(Fault::Malformed("a part of an OBU is missing"));
        }
        if head & 0x08 != 0 {
            if !is_first {
                return Err(Fault::Malformed("a sequence that begins within a picture"));
            }
            self.says_it_begins = true;
        }
        if rest.is_empty() {
            return Err(Fault::Malformed("a packet without an OBU"));
        }
        let mut found = 0;
        while !rest.is_empty() {
            found += 1;
            let element;
            if found == counted {
                (element, rest) = (rest, &[][..]);
            } else {
                let cut = leb128(rest).and_then(|(size, after)| after.split_at_checked(size));
                (element, rest) = cut.ok_or(Fault::Malformed("an OBU element is cut off"))?;
            }
            if self.whole.len() + self.part.len() + element.len() > UNIT_AT_MOST {
                return Err(Fault::TooLarge);
            }
            self.part.extend_from_slice(element);
            if !(goes_on && rest.is_empty()) {
                self.close_part()?;
            }
        }
        if counted > 0 && found != counted {
            return Err(Fault::Malformed("fewer OBU elements than were counted"));
        }
        self.goes_on = goes_on;
        Ok(())
    }

    /// The OBU that was put together joins the others, if it has a part in the picture.
    fn close_part(&mut self) -> Result<(), Fault> {
        let obu = Obu::read(&self.part).ok_or(Fault::Malformed("an OBU that cannot be read"))?;
        if obu.has_a_part() {
            if obu.spatial_id > 0 {
                return Err(Fault::Layers);
            }
            self.contents.note(&obu).map_err(Fault::Malformed)?;
            obu.write(&mut self.whole);
        }
        self.part.clear();
        if self.whole.len() > UNIT_AT_MOST {
            return Err(Fault::TooLarge);
        }
        Ok(())
    }

    /// The unit, if it is whole and can be decoded.
    fn finish(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        let begins = self.contents.begins();
        let fault = if self.goes_on {
            Fault::Malformed("a picture that ends within an OBU")
        } else if self.contents.shown() != 1 {
            Fault::Malformed("not one picture in a temporal unit")
        } else if self.says_it_begins && !begins {
            Fault::Malformed("a sequence that begins without a key frame and its header")
        } else if self.waits && !begins {
            Fault::Leaning
        } else {
            self.state = State::Ended;
            self.waits = false;
            return Ok(Some(std::mem::take(&mut self.whole)));
        };
        let fault = self.give_up(fault);
        Err(fault)
    }
}
