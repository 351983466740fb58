//! A viewer over WHEP, as a browser would be: full ICE, receives only.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "each test uses a part of it; a test that fails should fail loudly"
)]

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use greyplane::egress::WhepAnswer;
use gst::prelude::*;
use gstreamer as gst;
use gstreamer_app as gst_app;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid};
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use super::pipeline_support::until;

/// One access unit as the viewer got it.
#[derive(Clone, Debug)]
pub struct Frame {
    pub at_90k: u64,
    pub bytes: Vec<u8>,
}

impl Frame {
    /// Types of the NAL units in it.
    fn units(&self) -> Vec<u8> {
        self.bytes
            .windows(4)
            .filter(|w| w[..3] == [0, 0, 1])
            .map(|w| w[3] & 0x1f)
            .collect()
    }

    pub fn is_key(&self) -> bool {
        self.units().contains(&5)
    }

    /// Whether SPS and PPS come before the picture.
    pub fn has_parameters(&self) -> bool {
        let units = self.units();
        let at = |kind| units.iter().position(|unit| *unit == kind);
        at(7).is_some() && at(7) < at(8) && at(8) < at(5)
    }
}

enum Wish {
    KeyFrame,
    Send(Vec<u8>),
    Vanish,
}

#[derive(Default)]
struct Seen {
    frames: Vec<Frame>,
    over: bool,
}

pub struct Viewer {
    session: String,
    seen: Arc<Mutex<Seen>>,
    wishes: Option<Sender<Wish>>,
    thread: Option<JoinHandle<()>>,
}

impl Viewer {
    /// `ask` takes the offer to the server.
    pub fn open(ask: impl FnOnce(&str) -> WhepAnswer) -> Self {
        let (mut peer, offer, pending) = Peer::new();
        let answer = ask(&offer);
        let sdp = SdpAnswer::from_sdp_string(&answer.sdp).unwrap();
        peer.rtc.sdp_api().accept_answer(pending, sdp).unwrap();
        let seen = peer.seen.clone();
        let (wishes, wished) = bounded(1000);
        Self {
            session: answer.session,
            seen,
            wishes: Some(wishes),
            thread: Some(std::thread::spawn(move || peer.run(&wished))),
        }
    }

    pub fn offer_only() -> String {
        Peer::new().1
    }

    pub fn session(&self) -> &str {
        &self.session
    }

    pub fn frames(&self) -> Vec<Frame> {
        self.seen.lock().unwrap().frames.clone()
    }

    pub fn wait(&self, what: &str, wanted: impl Fn(&[Frame]) -> bool) {
        until(what, || {
            wanted(&self.seen.lock().unwrap().frames).then_some(())
        });
    }

    /// Whether the server said goodbye.
    pub fn is_over(&self) -> bool {
        self.seen.lock().unwrap().over
    }

    pub fn wait_for_goodbye(&self) {
        until("a goodbye", || self.is_over().then_some(()));
    }

    fn wish(&self, wish: Wish) {
        self.wishes.as_ref().unwrap().send(wish).unwrap();
    }

    pub fn ask_for_key_frame(&self) {
        self.wish(Wish::KeyFrame);
    }

    /// Sends something from the viewer's own address.
    pub fn send_raw(&self, bytes: Vec<u8>) {
        self.wish(Wish::Send(bytes));
    }

    /// Neither sends nor reads any more, and says nothing about it.
    pub fn vanish(&self) {
        self.wish(Wish::Vanish);
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.wishes = None;
        // Where it panicked the test has failed already.
        let _ = self.thread.take().unwrap().join();
    }
}

struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    server: Option<SocketAddr>,
    video: Mid,
    seen: Arc<Mutex<Seen>>,
}

impl Peer {
    fn new() -> (Self, String, SdpPendingOffer) {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let mut rtc = RtcConfig::new()
            .clear_codecs()
            .enable_h264(true)
            .enable_opus(true, false)
            // The largest key frame must fit.
            .set_reordering_size_video(500)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp").unwrap());
        let mut change = rtc.sdp_api();
        // Browsers put it first as well; it will be rejected.
        change.add_media(MediaKind::Audio, Direction::RecvOnly, None, None, None);
        let video = change.add_media(MediaKind::Video, Direction::RecvOnly, None, None, None);
        let (offer, pending) = change.apply().unwrap();
        let peer = Self {
            rtc,
            socket,
            address,
            server: None,
            video,
            seen: Arc::default(),
        };
        (peer, offer.to_sdp_string(), pending)
    }

    fn run(mut self, wished: &Receiver<Wish>) {
        loop {
            match wished.try_recv() {
                Ok(Wish::KeyFrame) => {
                    let mut writer = self.rtc.writer(self.video).unwrap();
                    writer
                        .request_keyframe(None, KeyframeRequestKind::Pli)
                        .unwrap();
                }
                Ok(Wish::Send(bytes)) => {
                    // May find no room.
                    let _ = self.socket.send_to(&bytes, self.server.unwrap());
                }
                Ok(Wish::Vanish) => {
                    // Until the test lets go of it.
                    while wished.recv().is_ok() {}
                    return;
                }
                Err(crossbeam_channel::TryRecvError::Empty) => {}
                Err(crossbeam_channel::TryRecvError::Disconnected) => {
                    self.rtc.close().unwrap();
                    self.give_out();
                    return;
                }
            }
            let Some(next) = self.give_out() else {
                self.seen.lock().unwrap().over = true;
                return;
            };
            self.receive(next);
        }
    }

    /// When it is due again; `None` once it is over.
    fn give_out(&mut self) -> Option<Instant> {
        loop {
            match self.rtc.poll_output().unwrap() {
                Output::Timeout(at) => return self.rtc.is_alive().then_some(at),
                Output::Transmit(datagram) => {
                    self.server = Some(datagram.destination);
                    self.socket
                        .send_to(&datagram.contents, datagram.destination)
                        .unwrap();
                }
                Output::Event(Event::MediaData(data)) => {
                    assert_eq!(data.mid, self.video);
                    self.seen.lock().unwrap().frames.push(Frame {
                        at_90k: data.time.numer(),
                        bytes: data.data.to_vec(),
                    });
                }
                Output::Event(Event::Closed) => return None,
                Output::Event(_) => {}
            }
        }
    }

    fn receive(&mut self, until: Instant) {
        let wait = until
            .saturating_duration_since(Instant::now())
            .clamp(Duration::from_millis(1), Duration::from_millis(20));
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut buffer = [0; 2000];
        let input = match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => Input::Receive(
                Instant::now(),
                Receive {
                    proto: Protocol::Udp,
                    source,
                    destination: self.address,
                    contents: buffer[..length].try_into().unwrap(),
                },
            ),
            Err(_) => Input::Timeout(Instant::now()),
        };
        self.rtc.handle_input(input).unwrap();
    }
}

/// How many pictures a decoder makes of `frames`.
pub fn decoded(frames: &[Frame]) -> usize {
    let pipeline = gst::parse::launch(
        "appsrc name=src format=time caps=video/x-h264,stream-format=byte-stream,alignment=au \
         ! h264parse ! avdec_h264 max-threads=1 ! appsink name=sink sync=false",
    )
    .unwrap()
    .downcast::<gst::Pipeline>()
    .unwrap();
    let source: gst_app::AppSrc = pipeline.by_name("src").unwrap().downcast().unwrap();
    let sink: gst_app::AppSink = pipeline.by_name("sink").unwrap().downcast().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for (at, frame) in frames.iter().enumerate() {
        let mut buffer = gst::Buffer::from_slice(frame.bytes.clone());
        let pts = gst::ClockTime::from_mseconds(40 * at as u64);
        buffer.get_mut().unwrap().set_pts(pts);
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let pictures = std::iter::from_fn(|| sink.pull_sample().ok()).count();
    pipeline.set_state(gst::State::Null).unwrap();
    pictures
}
