//! WS-UsernameToken with PasswordDigest (OASIS Web Services Security
//! UsernameToken Profile 1.0, section 3.1).

use std::collections::{BTreeSet, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

use super::request::Element;

/// How far `Created` may be from the camera's clock, seconds.
const MAX_SKEW_S: i64 = 300;
/// Nonces remembered; older ones have left the allowed skew at sane rates.
const MAX_NONCES: usize = 50_000;

/// Base64(SHA-1(nonce + created + password)).
pub(super) fn password_digest(nonce: &[u8], created: &str, password: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(nonce);
    hash.update(created.as_bytes());
    hash.update(password.as_bytes());
    STANDARD.encode(hash.finalize())
}

/// Why a request is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Denied {
    NoToken,
    WrongUserOrPassword,
    TooOldOrNew,
    Replayed,
}

/// Checks tokens against one user.
#[derive(Debug)]
pub(super) struct Gate {
    user: String,
    password: String,
    seen: BTreeSet<String>,
    order: VecDeque<String>,
}

impl Gate {
    pub(super) fn new(user: &str, password: &str) -> Self {
        Self {
            user: user.to_owned(),
            password: password.to_owned(),
            seen: BTreeSet::new(),
            order: VecDeque::new(),
        }
    }

    /// Checks the security header of an envelope. `clocks_s` are the times
    /// (seconds since 1970) that a client may rightly believe to be now: a
    /// camera whose clock just stepped still knows its old one.
    pub(super) fn check(&mut self, envelope: &Element, clocks_s: &[i64]) -> Result<(), Denied> {
        let token = envelope
            .at(&["Header", "Security", "UsernameToken"])
            .ok_or(Denied::NoToken)?;
        let text = |name| token.text_of(name).ok_or(Denied::NoToken);
        let (user, password) = (text("Username")?, text("Password")?);
        let (nonce64, created) = (text("Nonce")?, text("Created")?);
        let nonce = STANDARD.decode(nonce64).map_err(|_| Denied::NoToken)?;
        let expected = password_digest(&nonce, created, &self.password);
        if user != self.user || !same(expected.as_bytes(), password.as_bytes()) {
            return Err(Denied::WrongUserOrPassword);
        }
        let created_s = super::position::parse_utc_s(created).ok_or(Denied::TooOldOrNew)?;
        if !clocks_s
            .iter()
            .any(|now| (now - created_s).abs() <= MAX_SKEW_S)
        {
            return Err(Denied::TooOldOrNew);
        }
        let used = format!("{nonce64} {created}");
        if !self.seen.insert(used.clone()) {
            return Err(Denied::Replayed);
        }
        self.order.push_back(used);
        if self.order.len() > MAX_NONCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.seen.remove(&oldest);
        }
        Ok(())
    }
}

/// Compares without telling by its duration where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::super::request::parse;
    use super::*;

    const NOW: i64 = 1_274_619_152;

    fn envelope(user: &str, digest: &str, nonce: &str, created: &str) -> Element {
        parse(
            format!(
                "<E><Header><Security><UsernameToken><Username>{user}</Username>\
                 <Password>{digest}</Password><Nonce>{nonce}</Nonce><Created>{created}</Created>\
                 </UsernameToken></Security></Header></E>"
            )
            .as_bytes(),
        )
        .unwrap()
    }

    #[test]
    fn the_digest_is_that_of_the_onvif_programmers_guide() {
        let nonce = STANDARD.decode("LKqI6G/AikKCQrN0zqZFlg==").unwrap();
        assert_eq!(
            password_digest(&nonce, "2010-09-16T07:50:45Z", "userpassword"),
            "tuOSpGlFlIXsozq4HFNeeGeFLEI="
        );
    }

    #[test]
    fn tokens_are_let_in_once_and_only_when_right() {
        let created = "2010-05-23T12:52:32.000Z";
        let nonce = STANDARD.encode(b"0123456789abcdef");
        let right = password_digest(b"0123456789abcdef", created, "secret");
        let good = envelope("admin", &right, &nonce, created);
        let mut gate = Gate::new("admin", "secret");
        let cases = [
            (&good, NOW, Ok(())),
            (&good, NOW, Err(Denied::Replayed)),
            (&good, NOW + 301, Err(Denied::TooOldOrNew)),
            (
                &envelope("root", &right, &nonce, created),
                NOW,
                Err(Denied::WrongUserOrPassword),
            ),
            (
                &envelope("admin", "AAAA", &nonce, created),
                NOW,
                Err(Denied::WrongUserOrPassword),
            ),
            (
                &envelope("admin", &right, "***", created),
                NOW,
                Err(Denied::NoToken),
            ),
            (&parse(b"<E/>").unwrap(), NOW, Err(Denied::NoToken)),
        ];
        for (envelope, now, expected) in cases {
            assert_eq!(gate.check(envelope, &[now]), expected);
        }
    }
}
