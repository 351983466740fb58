//! Cameras that tell their position without saying when: asked over HTTP and over UDP.
//!
//! Must not know poses, and of the answers no more than who reads them.

use super::sample_clock::{AnswerTimes, Shown};
use super::source::{Asked, ClockPromise, HttpSettings, Report, Unheard, ViscaSettings, When};
use super::visca::{self, Question, Reply, ViscaError};
use super::{isapi, short, vapix};
use crate::clock::{CaptureTime, Clock};
use crate::device_http::DeviceHttp;
use crate::machine::{ClockDiscipline, clock_discipline};
use crate::onvif::utc::UtcStamp;
use crate::onvif::xml;
use crate::pose::profile::RawPosition;
use crate::pose::profile::units::VISCA;
use reqwest::Url;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// The kernel's bound of its error grows by 0.5 ms a second while no time server is heard, and
/// starts anew with each that is; systemd-timesyncd hears one every 34 minutes at most.
const MOST_ERROR: Duration = Duration::from_millis(1100);

/// Whether something keeps the machine's clock right, and was heard lately.
fn is_kept(told: ClockDiscipline) -> bool {
    told.synchronised && told.error_bound <= MOST_ERROR
}

/// What the camera's clock shows now, by this machine's clock and the promise that the two
/// are not far apart.
///
/// # Errors
/// Where the promise rests on the kernel, and the kernel says that nothing keeps its clock
/// right: a machine that has just started, or that lost its time servers.
fn by_our_clock(clock: &dyn Clock, promise: &ClockPromise) -> Result<Shown, Unheard> {
    if promise.kernel_keeps_clock && !clock_discipline().is_some_and(is_kept) {
        return Err(Unheard::wrong(
            "this machine's clock is not synchronised, so clock_within_ms means nothing",
        ));
    }
    let within_ns = i64::try_from(promise.within.as_nanos()).unwrap_or(i64::MAX);
    let (from, now, to) = (clock.mono(), clock.wall(), clock.mono());
    Ok(Shown {
        stamp: UtcStamp {
            at: CaptureTime(now.0.saturating_sub(within_ns)),
            resolution_ns: within_ns.saturating_mul(2),
        },
        from,
        to,
    })
}

/// The moment in a `Date` header (RFC 9110, 5.6.7: whole seconds, always GMT).
fn date(header: &str) -> Option<UtcStamp> {
    let format = time::format_description::well_known::Rfc2822;
    let moment = time::OffsetDateTime::parse(header.trim(), &format).ok()?;
    let ns = i64::try_from(moment.unix_timestamp_nanos()).ok()?;
    (ns > 0).then_some(UtcStamp {
        at: CaptureTime(ns),
        resolution_ns: 1_000_000_000,
    })
}

/// What becomes of an answer's words.
type Reader = fn(&str) -> Result<RawPosition, Unheard>;

fn read_vapix(text: &str) -> Result<RawPosition, Unheard> {
    vapix::position(text).map_err(|e| match e {
        vapix::VapixError::Refuses(_) => Unheard::refusal(e),
        _ => Unheard::wrong(e),
    })
}

fn read_isapi(text: &str) -> Result<RawPosition, Unheard> {
    isapi::position(text).map_err(|e| match e {
        isapi::IsapiError::Refuses(_) => Unheard::refusal(e),
        _ => Unheard::wrong(e),
    })
}

/// A camera that is asked by one GET.
pub(super) struct HttpDevice {
    http: DeviceHttp,
    url: Url,
    read: Reader,
    most_bytes: usize,
    times: AnswerTimes,
    promise: Option<ClockPromise>,
    clock: Arc<dyn Clock>,
}

impl HttpDevice {
    /// An Axis camera.
    ///
    /// # Errors
    /// What keeps it from being asked, for people.
    pub(super) fn vapix(settings: &HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let at = vapix::path_and_query(settings.channel);
        Self::new(settings, at, read_vapix, vapix::MOST_BYTES, clock)
    }

    /// A Hikvision camera.
    ///
    /// # Errors
    /// What keeps it from being asked, for people.
    pub(super) fn isapi(settings: &HttpSettings, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let at = (isapi::path(settings.channel), None);
        Self::new(settings, at, read_isapi, xml::MOST_BYTES, clock)
    }

    fn new(
        settings: &HttpSettings,
        (path, query): (String, Option<String>),
        read: Reader,
        most_bytes: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        // Whatever is written before an @ may be a password.
        let shown = settings.device_url.rsplit('@').next().unwrap_or_default();
        let mut url = Url::parse(&settings.device_url)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.username().is_empty())
            .ok_or_else(|| format!("device_url {shown}: give http://HOST[:PORT]"))?;
        url.set_path(&path);
        url.set_query(query.as_deref());
        let patience = Duration::from_millis(settings.timeout_ms);
        let ca_pem = settings.ca_pem.as_deref();
        let http = DeviceHttp::new(&settings.user, &settings.password, ca_pem, patience)
            .map_err(|e| e.to_string())?;
        Ok(Self {
            http,
            url,
            read,
            most_bytes,
            times: settings.times,
            promise: settings.promise,
            clock,
        })
    }

    /// Asks for the position.
    pub(super) async fn ask(&self) -> Asked {
        let sent = self.clock.mono();
        let request = self.http.get(self.url.clone());
        let answer = self.http.send(request, self.most_bytes).await;
        let received = self.clock.mono();
        let answer = answer.map_err(Unheard::silence).and_then(|answer| {
            match answer.status {
                200 => {}
                401 | 403 => {
                    let why = format!("HTTP {}: user or password is wrong", answer.status);
                    return Err(Unheard::silence(why));
                }
                404 => {
                    let what = self.url.path();
                    return Err(Unheard::silence(format!("HTTP 404: there is no {what}")));
                }
                status => {
                    // An error's words, where the camera has some.
                    let words = (self.read)(&answer.text).err();
                    let words = words.filter(|w| !w.is_wrong).map(|w| w.detail);
                    let words = words.map_or_else(String::new, |w| format!(": {}", short(&w)));
                    return Err(Unheard::refusal(format!("HTTP {status}{words}")));
                }
            }
            let shown = match &self.promise {
                Some(promise) => Some(by_our_clock(&*self.clock, promise)?),
                None => answer.header("date").and_then(date).map(|stamp| Shown {
                    stamp,
                    from: sent,
                    to: received,
                }),
            };
            Ok(Report {
                position: (self.read)(&answer.text)?,
                when: When::Answered(shown, self.times),
                error: None,
            })
        });
        Asked {
            sent,
            received,
            answer,
        }
    }
}

/// A datagram without an answer for this long is lost: asking again is cheaper than
/// waiting for what will not come.
const LOST_AFTER: Duration = Duration::from_millis(200);

/// A camera that is asked over UDP.
pub(super) struct ViscaDevice {
    socket: UdpSocket,
    sequence: AtomicU32,
    patience: Duration,
    times: AnswerTimes,
    promise: ClockPromise,
    clock: Arc<dyn Clock>,
}

impl ViscaDevice {
    /// # Errors
    /// What keeps it from being asked, for people.
    pub(super) async fn open(
        settings: &ViscaSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, String> {
        let address = &settings.address;
        let failed = |e: std::io::Error| format!("{address}: {e}");
        let found = tokio::net::lookup_host(address).await.map_err(failed)?;
        // Whichever comes first: a camera has one.
        let to = found
            .into_iter()
            .next()
            .ok_or_else(|| format!("{address}: has no address"))?;
        let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(from).await.map_err(failed)?;
        // From here on the kernel drops what others send.
        socket.connect(to).await.map_err(failed)?;
        let device = Self {
            socket,
            sequence: AtomicU32::new(0),
            patience: Duration::from_millis(settings.timeout_ms).min(LOST_AFTER),
            times: settings.times,
            promise: settings.promise,
            clock,
        };
        device.exchange(Question::Reset).await.map_err(|e| {
            format!(
                "{address}: {}; is VISCA over IP on in the camera, and UDP let through?",
                e.detail
            )
        })?;
        Ok(device)
    }

    /// Asks for the position: pan and tilt, then zoom. The head stood there, and the lens
    /// there, at some moment between the first question and the last answer.
    pub(super) async fn ask(&self) -> Asked {
        let shown = by_our_clock(&*self.clock, &self.promise);
        let sent = self.clock.mono();
        let answer = self.position().await;
        let received = self.clock.mono();
        Asked {
            sent,
            received,
            answer: answer.and_then(|position| {
                Ok(Report {
                    position,
                    when: When::Answered(Some(shown?), self.times),
                    error: None,
                })
            }),
        }
    }

    async fn position(&self) -> Result<RawPosition, Unheard> {
        let head = self.exchange(Question::PanTilt).await?;
        let lens = self.exchange(Question::Zoom).await?;
        let (Reply::PanTilt { pan, tilt }, Reply::Zoom(zoom)) = (head, lens) else {
            return Err(Unheard::wrong(ViscaError::NotAnAnswer));
        };
        Ok(RawPosition {
            position_space: Some(VISCA.position_space.to_owned()),
            zoom_space: Some(VISCA.zoom_space.to_owned()),
            pan: Some(f64::from(pan)),
            tilt: Some(f64::from(tilt)),
            zoom: Some(f64::from(zoom)),
            hfov_deg: None,
        })
    }

    /// Sends one question and waits for its answer; late ones of others are passed over.
    async fn exchange(&self, question: Question) -> Result<Reply, Unheard> {
        let sequence = self
            .sequence
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_add(1);
        let datagram = question.datagram(sequence);
        self.socket
            .send(&datagram)
            .await
            .map_err(Unheard::silence)?;
        let answer = async {
            // One byte more, so that a longer datagram is seen to be one.
            let mut buffer = [0; visca::MOST_BYTES + 1];
            loop {
                let length = self.socket.recv(&mut buffer).await?;
                let said = buffer.get(..length).unwrap_or_default();
                if let Some(reply) = visca::reply(said, question, sequence) {
                    return Ok::<_, std::io::Error>(reply);
                }
            }
        };
        match timeout(self.patience, answer).await {
            Err(_) => Err(Unheard::silence("no answer in time")),
            Ok(Err(e)) => Err(Unheard::silence(e)),
            Ok(Ok(Ok(reply))) => Ok(reply),
            Ok(Ok(Err(ViscaError::LostCount))) if question != Question::Reset => {
                // It answers again once it was told to count anew.
                let _ = self.socket.send(&Question::Reset.datagram(0)).await;
                Err(Unheard::refusal(ViscaError::LostCount))
            }
            Ok(Ok(Err(e @ ViscaError::NotAnAnswer))) => Err(Unheard::wrong(e)),
            Ok(Ok(Err(e))) => Err(Unheard::refusal(e)),
        }
    }
}

/// `HOST:PORT` of a `visca://HOST[:PORT]`.
pub(crate) fn visca_address(device_url: &str) -> String {
    let rest = device_url.strip_prefix("visca://").unwrap_or(device_url);
    let rest = rest.trim_end_matches('/');
    // A bare IPv6 address stands in brackets, with its port behind them.
    let has_port = rest.rsplit_once(':').is_some_and(|(host, port)| {
        !port.is_empty()
            && port.bytes().all(|b| b.is_ascii_digit())
            && (!host.contains(':') || host.ends_with(']'))
    });
    if has_port {
        rest.to_owned()
    } else {
        format!("{rest}:{}", visca::PORT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_header_is_read_to_the_second() {
        let read = |header: &str| date(header).map(|s| (s.at.0, s.resolution_ns));
        let expected = Some((784_111_777_000_000_000, 1_000_000_000));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
        for wrong in [
            "",
            "now",
            "Sun, 06 Nov 1994",
            "0",
            "Thu, 01 Jan 1970 00:00:00 GMT",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn our_clock_bounds_theirs() {
        let clock = crate::clock::SystemClock::new();
        let promise = |within| ClockPromise {
            within,
            kernel_keeps_clock: false,
        };
        let before = clock.wall();
        let shown = by_our_clock(&clock, &promise(Duration::from_millis(50))).unwrap();
        let after = clock.wall();
        assert!(shown.from <= shown.to);
        assert_eq!(shown.stamp.resolution_ns, 100_000_000);
        let middle_ns = shown.stamp.at.0 + 50_000_000;
        assert!((before.0..=after.0).contains(&middle_ns));
        // A promise of nothing is a time that nobody can use.
        let nothing = by_our_clock(&clock, &promise(Duration::MAX)).unwrap();
        assert_eq!(nothing.stamp.resolution_ns, i64::MAX);
    }

    #[test]
    fn a_clock_that_nothing_keeps_right_bounds_nothing() {
        let clock = crate::clock::SystemClock::new();
        let promise = ClockPromise {
            within: Duration::from_millis(5),
            kernel_keeps_clock: true,
        };
        for (synchronised, error_ms, kept) in [
            (true, 20, true),
            (true, 1100, true),
            // Nobody was heard for an hour.
            (true, 1800, false),
            (false, 20, false),
        ] {
            let told = ClockDiscipline {
                synchronised,
                error_bound: Duration::from_millis(error_ms),
            };
            assert_eq!(is_kept(told), kept, "{told:?}");
        }
        let shown = by_our_clock(&clock, &promise);
        assert_eq!(shown.is_ok(), clock_discipline().is_some_and(is_kept));
        if let Err(unheard) = shown {
            assert!(unheard.is_wrong, "it covers at once: {unheard:?}");
        }
    }

    #[test]
    fn a_visca_address_has_its_port() {
        for (url, address) in [
            ("visca://192.0.2.7", "192.0.2.7:52381"),
            ("visca://192.0.2.7:1259/", "192.0.2.7:1259"),
            ("visca://camera.example", "camera.example:52381"),
            ("visca://[2001:db8::7]", "[2001:db8::7]:52381"),
            ("visca://[2001:db8::7]:99", "[2001:db8::7]:99"),
        ] {
            assert_eq!(visca_address(url), address);
        }
    }

    /// A camera that has lost count once, and answers an older question first.
    async fn forgetful(camera: UdpSocket) {
        let mut counts = false;
        let mut buffer = [0; 64];
        loop {
            let (length, peer) = camera.recv_from(&mut buffer).await.unwrap();
            let asked = &buffer[..length];
            let number = u32::from_be_bytes(asked[4..8].try_into().unwrap());
            let say = async |kind: [u8; 2], number: u32, payload: &[u8]| {
                let length = [0, payload.len() as u8];
                let said = [&kind[..], &length, &number.to_be_bytes(), payload].concat();
                camera.send_to(&said, peer).await.unwrap();
            };
            match (&asked[..2], asked[8]) {
                ([2, 0], _) => say([2, 1], number, &[1]).await,
                (_, 0x81) if asked[10] == 0x06 && !counts => {
                    counts = true;
                    say([2, 1], 0, &[0x0f, 1]).await;
                }
                (_, 0x81) if asked[10] == 0x06 => {
                    let head = |pan| [0x90, 0x50, 0, 0, 0, pan, 0, 0, 0, 3, 0xff];
                    say([1, 0x11], number.wrapping_sub(1), &head(1)).await;
                    say([1, 0x11], number, &head(2)).await;
                }
                _ => say([1, 0x11], number, &[0x90, 0x50, 4, 0, 0, 0, 0xff]).await,
            }
        }
    }

    #[tokio::test]
    async fn a_late_answer_is_passed_over_and_a_lost_count_is_mended() {
        let camera = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let settings = ViscaSettings {
            address: camera.local_addr().unwrap().to_string(),
            timeout_ms: 1000,
            times: AnswerTimes::default(),
            promise: ClockPromise {
                within: Duration::from_millis(5),
                kernel_keeps_clock: false,
            },
        };
        let fake = tokio::spawn(forgetful(camera));
        let clock: Arc<dyn Clock> = Arc::new(crate::clock::SystemClock::new());
        let mut device = loop {
            // A busy machine may take longer than a datagram is waited for.
            if let Ok(device) = ViscaDevice::open(&settings, clock.clone()).await {
                break device;
            }
        };
        device.patience = Duration::from_secs(60);
        let lost = device.ask().await.answer.unwrap_err();
        assert_eq!((lost.is_answer, lost.is_wrong), (true, false), "{lost:?}");
        let read = device.ask().await.answer.unwrap().position;
        let numbers = (read.pan, read.tilt, read.zoom);
        assert_eq!(numbers, (Some(2.0), Some(3.0), Some(16_384.0)));
        fake.abort();
    }
}
