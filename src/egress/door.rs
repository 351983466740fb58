//! The door of the RTSP server: who is let in, to which cameras, and how often
//! a stranger may try.

use std::collections::HashMap;
use std::convert::Infallible;
use std::ffi::CStr;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use gst_rtsp::RTSPStatusCode;
use gst_rtsp_server::gio;
use gst_rtsp_server::prelude::*;
use gst_rtsp_server::{RTSPAuth, RTSPClient, RTSPContext, RTSPServer, RTSPToken};
use gstreamer::glib;
use gstreamer_rtsp as gst_rtsp;
use gstreamer_rtsp_server as gst_rtsp_server;
use tokio::sync::oneshot;

use super::access::Access;
use super::front::Arrival;
use super::media;
use super::viewers::camera_in;

/// The name of the viewer in the server's token.
const NAME: &str = "greyplane.viewer";
/// Where everybody may watch: no name of a viewer, there is a colon in it.
const EVERYBODY: &str = ":";
/// Wrong passwords that are looked at on one connection. Players try theirs again by
/// themselves, up to eight times.
const WRONG_AT_MOST: u32 = 10;
/// Connections with wrong passwords from one address until it has to wait…
const TRIES: u32 = 10;
/// …and looks (one a second) after which one is forgotten.
const FORGET_AFTER: u32 = 6;
/// Addresses whose wrong passwords are counted.
const ADDRESSES: usize = 4096;
/// Looks that somebody may stay who has not shown who they are.
const UNKNOWN_FOR: u32 = 15;
/// How many of those there may be; for one more, the first has to go.
const UNKNOWN_AT_MOST: usize = 64;

/// A connection.
struct Guest {
    client: glib::WeakRef<RTSPClient>,
    address: IpAddr,
    /// Who it has shown to be, by certificate or by password.
    name: Option<String>,
    /// It was told how to show who it is.
    challenged: bool,
    /// It has asked for something that it may have.
    known: bool,
    /// Wrong answers on this connection.
    wrong: u32,
    looks: u32,
    /// Dropped with it: then its TLS connection ends, too.
    _gone: Option<oneshot::Sender<Infallible>>,
}

/// Somebody whom the server is about to meet.
struct Expected {
    address: IpAddr,
    by_certificate: Option<String>,
    gone: oneshot::Sender<Infallible>,
}

/// The door of one server.
pub(super) struct Door {
    access: Mutex<Access>,
    /// Held by whoever lets somebody in, and whoever changes who may come in.
    passing: Mutex<()>,
    expected: Mutex<Option<Expected>>,
    guests: Mutex<Vec<Guest>>,
    wrong: Mutex<Wrong>,
}

impl Door {
    pub(super) fn new(access: Access) -> Arc<Self> {
        Arc::new(Self {
            access: Mutex::new(access),
            passing: Mutex::default(),
            expected: Mutex::default(),
            guests: Mutex::default(),
            wrong: Mutex::default(),
        })
    }

    fn access(&self) -> MutexGuard<'_, Access> {
        self.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn guests(&self) -> MutexGuard<'_, Vec<Guest>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wrong(&self) -> MutexGuard<'_, Wrong> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks those who come what they may.
    pub(super) fn keeper(self: &Arc<Self>) -> RTSPAuth {
        let access = self.access();
        let token = |name: &str| {
            let role = gst_rtsp_server::RTSP_TOKEN_MEDIA_FACTORY_ROLE.as_str();
            RTSPToken::builder()
                .field(role, media::VIEWER)
                .field(NAME, name)
                .build()
        };
        let names = access.names().chain([EVERYBODY]);
        let tokens = names.map(|n| (n.to_owned(), token(n))).collect();
        let keeper = keeper::Keeper::at(self, tokens);
        keeper.set_supported_methods(gst_rtsp::RTSPAuthMethod::Digest);
        keeper.set_realm(Some("greyplane"));
        for (name, password) in access.passwords() {
            keeper.add_digest(name, password.reveal(), &token(name));
        }
        keeper.upcast()
    }

    /// Changes who may watch at `server`. Nobody is sent away while only more is
    /// permitted; otherwise everyone must show who they are again.
    pub(super) fn change(self: &Arc<Self>, access: &Access, server: &RTSPServer) {
        let _passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        let narrower = {
            let mut current = self.access();
            let narrower = !access.includes(&current);
            *current = access.clone();
            narrower
        };
        server.set_auth(Some(&self.keeper()));
        if narrower {
            server.client_filter(Some(&mut |_, _| gst_rtsp_server::RTSPFilterResult::Remove));
        }
    }

    /// Leads somebody whose TLS handshake is done to `server`.
    pub(super) fn admit(&self, server: &RTSPServer, arrival: Arrival) {
        let _passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        let from = arrival.from;
        let by_certificate = {
            let access = self.access();
            let viewer = arrival.names.as_ref().and_then(|n| access.whose(n));
            let by_password = access.passwords().next().is_some();
            if *access != Access::Open && viewer.is_none() && !by_password {
                let names = arrival.names.unwrap_or_default().join(", ");
                tracing::info!(%from, names, "no viewer has such a certificate");
                return;
            }
            viewer
        };
        let expected = Expected {
            address: from.ip(),
            by_certificate,
            gone: arrival.gone,
        };
        *self.expecting() = Some(expected);
        let led = gio::Socket::from_fd(arrival.socket)
            .map_err(|error| error.to_string())
            .and_then(|socket| {
                let (ip, port) = (from.ip().to_string(), i32::from(from.port()));
                let led = server.transfer_connection(socket, &ip, port, None);
                led.map_err(|error| error.to_string())
            });
        if let Err(error) = led {
            tracing::warn!(%from, error, "a viewer could not be led to the RTSP server");
        }
        self.expecting().take();
    }

    fn expecting(&self) -> MutexGuard<'_, Option<Expected>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks after `client` from now on. It has not asked for anything yet.
    pub(super) fn welcome(self: &Arc<Self>, client: &RTSPClient) {
        let expected = self.expecting().take();
        let (address, by_certificate, gone) = match expected {
            Some(e) => (Some(e.address), e.by_certificate, Some(e.gone)),
            None => (address_of(client), None, None),
        };
        self.guests().push(Guest {
            client: client.downgrade(),
            // Strangers without an address share one.
            address: address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network),
            name: by_certificate,
            challenged: false,
            known: false,
            wrong: 0,
            looks: 0,
            _gone: gone,
        });
        let door = Arc::downgrade(self);
        client.connect_closed(move |client| {
            if let Some(door) = door.upgrade() {
                let left: Vec<Guest> = door
                    .guests()
                    .extract_if(.., |g| g.client.upgrade().as_ref() == Some(client))
                    .collect();
                drop(left);
            }
        });
    }

    /// Whether what is asked for is for whoever asks; who that is, the server's
    /// token tells.
    fn answer(&self, client: &RTSPClient, context: &RTSPContext) -> RTSPStatusCode {
        let name = context.token().and_then(|token| token.string(NAME));
        let (Some(uri), Some(name)) = (context.uri(), name) else {
            return RTSPStatusCode::Unauthorized;
        };
        let uri = uri.request_uri();
        if !self.access().lets(Some(&name), camera_in(uri.as_str())) {
            // As for a camera that does not exist.
            return RTSPStatusCode::NotFound;
        }
        match self.with(client, |guest| guest.known = true) {
            Some(()) => RTSPStatusCode::Ok,
            None => RTSPStatusCode::NotFound,
        }
    }

    /// None where nobody knows `client`.
    fn with<R>(&self, client: &RTSPClient, act: impl FnOnce(&mut Guest) -> R) -> Option<R> {
        let mut guests = self.guests();
        let mut all = guests.iter_mut();
        all.find(|g| g.client.upgrade().as_ref() == Some(client))
            .map(act)
    }

    /// Sends those away who will not say who they are. To be called about once
    /// a second.
    pub(super) fn look(&self) {
        self.wrong().look();
        let unwelcome: Vec<RTSPClient> = {
            let mut guests = self.guests();
            guests.retain(|g| g.client.upgrade().is_some());
            let unknown = guests.iter_mut().filter(|g| !g.known);
            let mut unknown: Vec<&mut Guest> = unknown.collect();
            let too_many = unknown.len().saturating_sub(UNKNOWN_AT_MOST);
            let all = unknown.iter_mut().enumerate();
            all.filter_map(|(i, guest)| {
                guest.looks += 1;
                let out = i < too_many || guest.looks > UNKNOWN_FOR;
                out.then(|| guest.client.upgrade()).flatten()
            })
            .collect()
        };
        for client in unwelcome {
            client.close();
        }
    }
}

/// Wrong passwords by address.
#[derive(Default)]
struct Wrong {
    counts: HashMap<IpAddr, u32>,
    looks: u32,
}

impl Wrong {
    fn too_many(&self, address: IpAddr) -> bool {
        self.counts.get(&address).is_some_and(|c| *c >= TRIES)
    }

    /// One more; whether it was one too many.
    fn count(&mut self, address: IpAddr) -> bool {
        if self.counts.len() >= ADDRESSES && !self.counts.contains_key(&address) {
            let fewest = self.counts.iter().min_by_key(|(_, c)| **c);
            if let Some(fewest) = fewest.map(|(a, _)| *a) {
                self.counts.remove(&fewest);
            }
        }
        let count = self.counts.entry(address).or_default();
        *count = (*count + 1).min(TRIES);
        *count == TRIES
    }

    fn look(&mut self) {
        self.looks += 1;
        if self.looks.is_multiple_of(FORGET_AFTER) {
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
        }
    }
}

/// The part of an address that somebody cannot choose freely: of IPv6, /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let mut octets = v6.octets();
            octets[8..].fill(0);
            octets.into()
        }
        v4 => v4,
    }
}

/// Where a viewer of the server's own listening socket is.
#[allow(unsafe_code, reason = "the crate does not bind GstRTSPConnection")]
fn address_of(client: &RTSPClient) -> Option<IpAddr> {
    // SAFETY: the connection belongs to the client, which lives at least as long
    // as the reference to it; it is only read, on the thread that made it and
    // before it is attached anywhere. Its address is a C string of its own.
    let text = unsafe {
        let connection = gst_rtsp_server::ffi::gst_rtsp_client_get_connection(client.as_ptr());
        if connection.is_null() {
            return None;
        }
        let ip = gst_rtsp::ffi::gst_rtsp_connection_get_ip(connection);
        if ip.is_null() {
            return None;
        }
        CStr::from_ptr(ip).to_str().ok()?.to_owned()
    };
    text.parse().ok()
}

/// The server's authenticator: it asks before anything is looked up, and counts.
mod keeper {
    use super::{Arc, Door, HashMap, RTSPToken, glib, gst_rtsp_server};
    use glib::subclass::prelude::ObjectSubclassIsExt;

    glib::wrapper! {
        /// Digest, for those who were told how on the same connection.
        pub(crate) struct Keeper(ObjectSubclass<imp::Keeper>)
            @extends gst_rtsp_server::RTSPAuth;
    }

    impl Keeper {
        /// For those of `tokens`, by name.
        pub(super) fn at(door: &Arc<Door>, tokens: HashMap<String, RTSPToken>) -> Self {
            let keeper: Self = glib::Object::new();
            // Set once, here.
            let _ = keeper.imp().at.set((Arc::downgrade(door), tokens));
            keeper
        }
    }

    mod imp {
        use super::super::{Access, EVERYBODY, WRONG_AT_MOST, Weak, gst_rtsp};
        use super::{Arc, Door, HashMap, RTSPToken, glib, gst_rtsp_server};
        use glib::translate::ToGlibPtr;
        use gst_rtsp::RTSPStatusCode;
        use gst_rtsp::ffi::{
            GST_RTSP_ANNOUNCE, GST_RTSP_DESCRIBE, GST_RTSP_PLAY, GST_RTSP_RECORD, GST_RTSP_SETUP,
        };
        use gst_rtsp_server::prelude::*;
        use gst_rtsp_server::subclass::prelude::*;
        use gst_rtsp_server::{RTSPClient, RTSPContext};
        use std::sync::OnceLock;

        /// What is asked before it is done. The rest needs a session.
        const GUARDED: u32 = GST_RTSP_ANNOUNCE
            | GST_RTSP_DESCRIBE
            | GST_RTSP_PLAY
            | GST_RTSP_RECORD
            | GST_RTSP_SETUP;
        /// The server's name for the check before everything else.
        const FIRST: &str = "auth.check.url";

        #[derive(Default)]
        pub(crate) struct Keeper {
            pub(super) at: OnceLock<(Weak<Door>, HashMap<String, RTSPToken>)>,
        }

        #[glib::object_subclass]
        impl ObjectSubclass for Keeper {
            const NAME: &'static str = "GreyplaneRtspKeeper";
            type Type = super::Keeper;
            type ParentType = gst_rtsp_server::RTSPAuth;
        }

        impl ObjectImpl for Keeper {}

        impl RTSPAuthImpl for Keeper {
            /// A stranger is asked who it is, whether there is such a camera or
            /// not; a viewer whose camera it is not is told that there is none.
            fn check(&self, context: &RTSPContext, check: &glib::GString) -> bool {
                if check != FIRST || method(context) & GUARDED == 0 {
                    return self.parent_check(context, check);
                }
                let (Some(door), Some(client)) = (self.door(), context.client()) else {
                    return false;
                };
                self.authenticate(context);
                match door.answer(client, context) {
                    RTSPStatusCode::Ok => self.parent_check(context, check),
                    refused => {
                        self.refuse(client, context, refused);
                        false
                    }
                }
            }

            fn authenticate(&self, context: &RTSPContext) -> bool {
                let (Some(door), Some(client)) = (self.door(), context.client()) else {
                    return false;
                };
                if *door.access() == Access::Open {
                    self.is(context, EVERYBODY);
                    return true;
                }
                let guest = door.with(client, |g| {
                    (g.address, g.challenged, g.known, g.wrong, g.name.clone())
                });
                let Some((address, challenged, known, wrong, name)) = guest else {
                    return false;
                };
                let shown = context
                    .request()
                    .map_or(0, |r| r.parse_auth_credentials().len());
                if shown == 0 {
                    // The connection is as good as the password that it began with.
                    if let Some(name) = name {
                        self.is(context, &name);
                    }
                    return true;
                }
                // The answer to another connection's question counts for nothing:
                // it could be tried at no cost.
                let waits = wrong == 0 && !known && door.wrong().too_many(address);
                if !challenged || waits || wrong >= WRONG_AT_MOST {
                    return false;
                }
                // One answer at a time: the server would try each.
                let right = shown == 1 && self.parent_authenticate(context);
                match context
                    .token()
                    .and_then(|token| token.string(super::super::NAME))
                {
                    Some(name) if right => {
                        door.with(client, |g| g.name = Some(name));
                    }
                    _ => {
                        // Nor is it who it was: with one camera's right nobody may try for more.
                        door.with(client, |g| {
                            g.wrong += 1;
                            (g.known, g.name) = (false, None);
                        });
                        // Players answer the same again and again by themselves.
                        if wrong == 0 && door.wrong().count(address) {
                            tracing::warn!(%address, "too many wrong passwords: it has to wait");
                        }
                    }
                }
                right
            }

            fn generate_authenticate_header(&self, context: &RTSPContext) {
                if let (Some(door), Some(client)) = (self.door(), context.client()) {
                    door.with(client, |g| g.challenged = true);
                }
                self.parent_generate_authenticate_header(context);
            }
        }

        impl Keeper {
            fn door(&self) -> Option<Arc<Door>> {
                self.at.get().and_then(|(door, _)| door.upgrade())
            }

            /// Lets the server know who asks. It takes the reference, and keeps
            /// it: the tokens live as long as the keeper anyway.
            fn is(&self, context: &RTSPContext, name: &str) {
                let token = self.at.get().and_then(|(_, tokens)| tokens.get(name));
                if let (Some(token), None) = (token, context.token()) {
                    context.set_token(token.clone());
                }
            }

            fn refuse(&self, client: &RTSPClient, context: &RTSPContext, code: RTSPStatusCode) {
                let Some(response) = context.response() else {
                    return;
                };
                response.init_response(code, context.request());
                if code == RTSPStatusCode::Unauthorized {
                    self.generate_authenticate_header(context);
                }
                client.send_message(response, None);
            }
        }

        #[allow(unsafe_code, reason = "the crate does not tell the method")]
        fn method(context: &RTSPContext) -> u32 {
            // SAFETY: the server's context lives while the server asks about it,
            // and it is only read, on the thread that asks.
            unsafe { (*context.to_glib_none().0).method }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_passwords_are_counted_by_network_and_forgotten() {
        let mut wrong = Wrong::default();
        let of = |text: &str| network(text.parse().unwrap());
        for n in 1..=TRIES {
            assert!(!wrong.too_many(of("2001:db8::1")));
            let last = wrong.count(of(&format!("2001:db8::{n}")));
            assert_eq!(last, n == TRIES);
        }
        for (address, waits) in [
            ("2001:db8::ffff", true),
            ("2001:db8:0:1::1", false),
            ("10.0.0.1", false),
        ] {
            assert_eq!(wrong.too_many(of(address)), waits, "{address}");
        }
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        for _ in 0..FORGET_AFTER {
            wrong.look();
        }
        assert!(!wrong.too_many(of("2001:db8::1")));
        for _ in 0..TRIES * FORGET_AFTER {
            wrong.look();
        }
        assert!(wrong.counts.is_empty());
        for n in 0..=ADDRESSES as u32 {
            wrong.count(Ipv4Addr::from_bits(n).into());
        }
        assert_eq!(wrong.counts.len(), ADDRESSES);
    }
}
