//! WHIP (RFC 9725): an offer by HTTP, and the masked stream over WebRTC to whoever
//! answered it. The same state machine, queue and packets as [WHEP](crate::egress::whep)'s
//! viewers get, with the roles turned round: we offer, and we find the way.
//!
//! All candidates are in the offer and in the answer; none trickles in later, and the
//! session is never changed, so there is nothing to `PATCH`. Relays and STUN servers
//! that the server names are not used: what it can be reached at directly, it is.

mod describe;
mod send;
mod signal;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};
use reqwest::Url;

use self::signal::Endpoint;
use super::counts::Counts;
use super::run::Over;
use crate::clock::SystemClock;
use crate::egress::webrtc::{Session, Sockets, bind_each};
use crate::pipeline::MaskedStream;
use crate::secret::Secret;

/// How often it is looked whether a publication is to stop.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Names that lead to more addresses of ours are not followed to all of them.
const ADDRESSES_AT_MOST: usize = 4;
/// Certificates of a `ca_file`.
const LONGEST_ROOTS: u64 = 1 << 20;

/// Whose stream goes where.
pub(super) struct Call<'a> {
    pub(super) camera: &'a str,
    pub(super) publication: &'a str,
    pub(super) url: &'a str,
    pub(super) token: Option<&'a Secret>,
    pub(super) ca_file: Option<&'a Path>,
    pub(super) stream: &'a MaskedStream,
    pub(super) counts: &'a Arc<Counts>,
    /// Disconnected when it is to stop.
    pub(super) stopped: &'a Receiver<()>,
}

impl Call<'_> {
    /// Connects and sends until that is over.
    pub(super) fn run(&self, connected: &mut dyn FnMut()) -> Over {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(e) => return Over::Lost(format!("it cannot be sent: {e}")),
        };
        let over = runtime.block_on(self.connect(connected));
        // A name that is still being looked up must not keep the thread.
        runtime.shutdown_background();
        over.unwrap_or_else(|over| over)
    }

    async fn connect(&self, connected: &mut dyn FnMut()) -> Result<Over, Over> {
        let clock = SystemClock::new();
        let url = Url::parse(self.url)
            .map_err(|e| Over::Lost(format!("the address cannot be read: {e}")))?;
        let endpoint = Endpoint::new(self.token.cloned(), self.roots()?.as_deref())?;
        let sockets = self.unless_stopped(sockets_towards(&url)).await??;
        let offered = describe::offer(&sockets.addresses(), &clock)?;
        let video = offered.video;
        let posted = endpoint.offer(&url, &offered.sdp);
        let answered = self.unless_stopped(posted).await??;
        let over = match describe::take(offered.rtc, offered.pending, &answered.sdp) {
            Err(why) => Over::Lost(why),
            Ok(rtc) => {
                let session = Session::new(
                    self.publication.to_owned(),
                    self.camera.to_owned(),
                    self.stream.clone(),
                    Box::new(rtc),
                    clock.instant(),
                )
                .sending_in(video);
                send::until_over(session, &sockets, self, clock, connected).await
            }
        };
        endpoint.end(answered.resource).await;
        Ok(over)
    }

    /// What `work` gives, unless the publication is to stop before.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Over> {
        let stopped = async {
            while !self.is_stopped() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            done = work => Ok(done),
            () = stopped => Err(Over::Stopped),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.try_recv() == Err(TryRecvError::Disconnected)
    }

    /// Read anew for each connection: the file may have been replaced.
    fn roots(&self) -> Result<Option<String>, String> {
        let Some(file) = self.ca_file else {
            return Ok(None);
        };
        let cannot = |e: String| format!("ca_file {}: {e}", file.display());
        let size = std::fs::metadata(file).map_err(|e| cannot(e.to_string()))?;
        if size.len() > LONGEST_ROOTS {
            return Err(cannot("it is too large".to_owned()));
        }
        let pem = std::fs::read_to_string(file).map_err(|e| cannot(e.to_string()))?;
        Ok(Some(pem))
    }
}

impl From<String> for Over {
    fn from(why: String) -> Self {
        Self::Lost(why)
    }
}

/// A socket at each address of ours that the system would reach the server from.
/// No other: an offer names them, and what else this machine has is nobody's affair.
async fn sockets_towards(url: &Url) -> Result<Sockets, String> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Err("the address names no host".to_owned());
    };
    let found = tokio::net::lookup_host(format!("{host}:{port}"))
        .await
        .map_err(|e| format!("its name does not lead to an address: {e}"))?;
    let mut ours: Vec<IpAddr> = Vec::new();
    let mut why = "the server's name leads nowhere".to_owned();
    for server in found {
        match towards(server) {
            Ok(ip) if ours.contains(&ip) || ours.len() == ADDRESSES_AT_MOST => {}
            Ok(ip) => ours.push(ip),
            Err(e) => why = format!("there is no way to the server: {e}"),
        }
    }
    if ours.is_empty() {
        return Err(why);
    }
    bind_each(&ours, 0)
        .and_then(Sockets::new)
        .map_err(|e| format!("no socket to send from: {e}"))
}

/// The address that datagrams to `server` would leave from. Sends nothing.
fn towards(server: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    Ok(socket.local_addr()?.ip())
}
