//! UDP sockets: one port, one socket for each address of ours.
//!
//! Not one for all addresses: ICE wants an answer from the address that was
//! asked, and which that was is not told by a socket bound to `0.0.0.0`.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket as StdSocket};
use std::task::Poll;

use str0m::Candidate;
use str0m::net::Transmit;
use tokio::net::UdpSocket;

/// Datagrams taken from a socket before frames have their turn.
const DATAGRAMS_A_TURN: usize = 64;
/// No datagram of ours or theirs is longer (str0m's limit).
const LONGEST_DATAGRAM: usize = 2000;
/// With port 0 the system chooses a port for the first address; another may
/// have it already at the second.
const PORTS_TRIED: u32 = 16;

/// Sockets for `listen`, all on the same port.
pub(in crate::egress) fn bind(listen: SocketAddr) -> io::Result<Vec<StdSocket>> {
    let ips = if listen.ip().is_unspecified() {
        local_addresses(listen.ip())?
    } else {
        vec![listen.ip()]
    };
    bind_each(&ips, listen.port())
}

/// Sockets at `ips`, all on the same port; 0 is the system's choice.
pub(in crate::egress) fn bind_each(ips: &[IpAddr], port: u16) -> io::Result<Vec<StdSocket>> {
    let mut tried = 0;
    loop {
        tried += 1;
        match bind_all(ips, port) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && port == 0 && tried < PORTS_TRIED => {}
            done => return done,
        }
    }
}

fn bind_all(ips: &[IpAddr], port: u16) -> io::Result<Vec<StdSocket>> {
    let mut sockets: Vec<StdSocket> = Vec::new();
    for ip in ips {
        let port = match sockets.first() {
            Some(first) => first.local_addr()?.port(),
            None => port,
        };
        let address = SocketAddr::new(*ip, port);
        match StdSocket::bind(address) {
            Ok(socket) => {
                socket.set_nonblocking(true)?;
                sockets.push(socket);
            }
            // An address may go between being listed and being bound.
            Err(e) if e.kind() == io::ErrorKind::AddrNotAvailable && ips.len() > 1 => {
                tracing::warn!(%address, "not served: {e}");
            }
            Err(e) => return Err(e),
        }
    }
    if sockets.is_empty() {
        return Err(io::Error::new(
            io::ErrorKind::AddrNotAvailable,
            "the machine has no address that could be reached",
        ));
    }
    Ok(sockets)
}

/// Addresses of the machine that can be ICE candidates; IPv4 only for
/// `0.0.0.0`, both kinds for `::`.
fn local_addresses(unspecified: IpAddr) -> io::Result<Vec<IpAddr>> {
    let mut ips: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .map(|interface| interface.ip())
        .filter(|ip| unspecified.is_ipv6() || ip.is_ipv4())
        .filter(|ip| match ip {
            IpAddr::V4(_) => true,
            // Means nothing without the interface, which SDP cannot name.
            IpAddr::V6(ip) => !ip.is_unicast_link_local(),
        })
        .filter(|ip| Candidate::host(SocketAddr::new(*ip, 9), "udp").is_ok())
        .collect();
    // What others can reach before loopback: the order of the candidates.
    ips.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    ips.dedup();
    Ok(ips)
}

/// The sockets on the sending thread.
pub(in crate::egress) struct Sockets(Vec<(SocketAddr, UdpSocket)>);

impl Sockets {
    /// Must be called within a tokio runtime.
    pub(in crate::egress) fn new(sockets: Vec<StdSocket>) -> io::Result<Self> {
        sockets
            .into_iter()
            .map(|socket| Ok((socket.local_addr()?, UdpSocket::from_std(socket)?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Where they are.
    pub(in crate::egress) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.iter().map(|(at, _)| *at).collect()
    }

    /// Ready when there is something to receive.
    pub(in crate::egress) async fn readable(&self) {
        std::future::poll_fn(|cx| {
            let any = self
                .0
                .iter()
                .filter(|(_, socket)| socket.poll_recv_ready(cx).is_ready())
                .count();
            if any > 0 {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }

    /// Gives `take` what has arrived, source first, destination second; at most 64
    /// datagrams of each socket, so that a flood on one of them delays nobody's
    /// frames for long.
    pub(in crate::egress) fn receive(&self, mut take: impl FnMut(SocketAddr, SocketAddr, &[u8])) {
        let mut buffer = [0; LONGEST_DATAGRAM];
        for (address, socket) in &self.0 {
            for _ in 0..DATAGRAMS_A_TURN {
                match socket.try_recv_from(&mut buffer) {
                    Ok((length, source)) => take(source, *address, &buffer[..length]),
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                    // ICMP's answer to something sent earlier; nobody's fault here.
                    Err(e) => tracing::trace!("receiving: {e}"),
                }
            }
        }
    }

    /// Sends at once or not at all: as far as the peer is concerned a
    /// datagram that the system has no room for was lost on the way.
    pub(in crate::egress) fn send(&self, datagram: &Transmit) {
        let Some((_, socket)) = self.0.iter().find(|(at, _)| *at == datagram.source) else {
            return;
        };
        if let Err(e) = socket.try_send_to(&datagram.contents, datagram.destination) {
            tracing::trace!("sending: {e}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_served_on_one_port() {
        for (listen, all) in [
            ("127.0.0.1:0", false),
            ("0.0.0.0:0", true),
            ("[::]:0", true),
        ] {
            let sockets = bind(listen.parse().unwrap()).unwrap();
            let at: Vec<SocketAddr> = sockets.iter().map(|s| s.local_addr().unwrap()).collect();
            assert!(at.iter().all(|a| a.port() == at[0].port()), "{at:?}");
            assert!(at.iter().all(|a| !a.ip().is_unspecified()), "{at:?}");
            assert!(at.iter().any(|a| a.ip().is_loopback()), "{at:?}");
            assert!(all || at.len() == 1, "{at:?}");
            // Taken now, and said so.
            assert!(bind(at[0]).is_err(), "{at:?}");
        }
    }
}
