//! A wire between gateway and camera that can be cut: a TCP relay with an address
//! of its own. It belongs to the proof; the gateway takes it for the camera.
//!
//! Must not know what passes.

use std::net::SocketAddr;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

/// What the wire does; of two faults the worse one counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Everything passes.
    #[default]
    Open,
    /// Nothing passes; what waits passes afterwards, as with packets that are lost
    /// and sent again.
    Held,
    /// Half-open: whoever is connected, or connects, is never answered and never
    /// told, not even afterwards.
    Dead,
    /// Connections are closed and refused.
    Gone,
}

/// Another address than the camera's own, so that nothing the camera says of its
/// addresses leads around the wire. All of 127/8 is this machine's on Linux.
const ADDRESS: [u8; 4] = [127, 0, 0, 2];
/// A connection that was left half-open is forgotten after this.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60);
/// How often a port that cannot be had yet is asked for again.
const AGAIN: Duration = Duration::from_millis(20);

/// One wire; dropping it cuts it.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    way: watch::Sender<Way>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// A wire to the camera at `to`.
    ///
    /// # Errors
    /// When no port or no thread can be had.
    pub(super) fn start(to: SocketAddr) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let listener = runtime.block_on(async { listen((ADDRESS, 0).into()) })?;
        let address = listener.local_addr()?;
        let (way, turns) = watch::channel(Way::Open);
        let thread = std::thread::Builder::new()
            .name("prove-relay".to_owned())
            .spawn(move || runtime.block_on(serve(listener, address, to, turns)))?;
        Ok(Self {
            address,
            way,
            thread: Some(thread),
        })
    }

    /// Where it is had.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on.
    pub(super) fn turn(&self, way: Way) {
        self.way.send_if_modified(|now| {
            let is_new = *now != way;
            *now = way;
            is_new
        });
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        // The end of the sender is the end of the wire.
        let (gone, _) = watch::channel(Way::Gone);
        drop(std::mem::replace(&mut self.way, gone));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn listen(at: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(at)?;
    socket.listen(256)
}

async fn serve(
    listener: TcpListener,
    at: SocketAddr,
    to: SocketAddr,
    mut way: watch::Receiver<Way>,
) {
    let mut listener = Some(listener);
    loop {
        let now = *way.borrow_and_update();
        if now == Way::Gone {
            listener = None;
        } else if listener.is_none() {
            listener = listen(at).ok();
        }
        let Some(open) = &listener else {
            tokio::select! {
                turned = way.changed() => if turned.is_err() { return },
                () = tokio::time::sleep(AGAIN) => {}
            }
            continue;
        };
        tokio::select! {
            turned = way.changed() => if turned.is_err() { return },
            come = open.accept() => if let Ok((near, _)) = come {
                tokio::spawn(carry(near, to, way.clone()));
            }
        }
    }
}

/// Carries one connection until either side or the wire ends it.
async fn carry(mut near: TcpStream, to: SocketAddr, mut way: watch::Receiver<Way>) {
    let turns = way.clone();
    let dead = tokio::select! {
        () = join(&mut near, to, turns) => false,
        cut = way.wait_for(|way| *way >= Way::Dead) => cut.is_ok_and(|way| *way == Way::Dead),
    };
    if dead {
        // The camera's side is closed already: it has no memory of us.
        tokio::time::sleep(FORGOTTEN_AFTER).await;
    }
}

async fn join(near: &mut TcpStream, to: SocketAddr, mut way: watch::Receiver<Way>) {
    if way.wait_for(|way| *way == Way::Open).await.is_err() {
        return;
    }
    let Ok(mut far) = TcpStream::connect(to).await else {
        return;
    };
    if near.set_nodelay(true).and(far.set_nodelay(true)).is_err() {
        return;
    }
    let (near_in, near_out) = near.split();
    let (far_in, far_out) = far.split();
    tokio::select! {
        () = pass(near_in, far_out, way.clone()) => {}
        () = pass(far_in, near_out, way) => {}
    }
}

async fn pass(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, mut way: watch::Receiver<Way>) {
    let mut part = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut part).await else {
            return;
        };
        if way.wait_for(|way| *way == Way::Open).await.is_err()
            || to.write_all(&part[..length]).await.is_err()
        {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};

    const PATIENCE: Duration = Duration::from_secs(20);
    const A_MOMENT: Duration = Duration::from_millis(200);

    /// Sends back whatever it hears.
    fn echo() -> SocketAddr {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut stream.try_clone().unwrap(), &mut stream);
                });
            }
        });
        address
    }

    fn said(stream: &mut std::net::TcpStream, wait: Duration) -> std::io::Result<usize> {
        stream.set_read_timeout(Some(wait))?;
        stream.write_all(b"x")?;
        stream.read(&mut [0; 8])
    }

    fn is_silence(heard: &std::io::Result<usize>) -> bool {
        let kind = heard.as_ref().map_err(std::io::Error::kind);
        matches!(kind, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    #[test]
    fn each_way_does_what_it_says_and_what_is_mended_passes_again() {
        let relay = Relay::start(echo()).unwrap();
        let connect = || std::net::TcpStream::connect(relay.address());
        let mut old = connect().unwrap();
        assert_eq!(said(&mut old, PATIENCE).unwrap(), 1);

        relay.turn(Way::Held);
        assert!(is_silence(&said(&mut old, A_MOMENT)), "held");
        relay.turn(Way::Open);
        old.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(old.read(&mut [0; 1]).unwrap(), 1, "what waited comes");

        relay.turn(Way::Dead);
        let mut tried = connect().unwrap();
        assert!(is_silence(&said(&mut old, A_MOMENT)), "dead");
        assert!(is_silence(&said(&mut tried, A_MOMENT)), "dead from birth");
        relay.turn(Way::Open);
        assert!(is_silence(&said(&mut old, A_MOMENT)), "dead for ever");
        let mut new = connect().unwrap();
        assert_eq!(said(&mut new, PATIENCE).unwrap(), 1);

        relay.turn(Way::Gone);
        assert!(!matches!(said(&mut new, PATIENCE), Ok(1..)), "closed");
        // It stops to listen a moment later.
        while connect().is_ok() {}
        relay.turn(Way::Open);
        let mut back = loop {
            if let Ok(stream) = connect() {
                break stream;
            }
        };
        assert_eq!(said(&mut back, PATIENCE).unwrap(), 1);
    }
}
