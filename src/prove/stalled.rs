//! A viewer that stops reading: asks for a stream over TCP, then leaves it lying
//! in the socket. Speaks only as much RTSP (RFC 2326) as that needs.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// The stalled viewer; it hangs up when dropped.
#[derive(Debug)]
pub(super) struct Stalled {
    socket: TcpStream,
}

fn refuse(what: String) -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::InvalidData, what)
}

impl Stalled {
    /// Opens `url` (`rtsp://HOST:PORT/PATH`, no credentials), plays it
    /// interleaved and never reads again.
    ///
    /// # Errors
    /// When the server cannot be reached or does not agree to play.
    pub(super) fn start(url: &str) -> std::io::Result<Self> {
        let host = url
            .strip_prefix("rtsp://")
            .and_then(|rest| rest.split('/').next())
            .ok_or_else(|| refuse(format!("{url} is no rtsp:// address")))?;
        let address = host
            .to_socket_addrs()?
            .next()
            .ok_or_else(|| refuse(format!("{host} is no host")))?;
        let wait = Duration::from_secs(5);
        let mut socket = TcpStream::connect_timeout(&address, wait)?;
        socket.set_read_timeout(Some(wait))?;
        socket.set_write_timeout(Some(wait))?;
        let described = ask(
            &mut socket,
            &format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"),
        )?;
        let control = control_url(&described, url);
        let set_up = ask(
            &mut socket,
            &format!(
                "SETUP {control} RTSP/1.0\r\nCSeq: 2\r\n\
                 Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n\r\n"
            ),
        )?;
        let session = header(&set_up, "session")
            .map(|s| s.split(';').next().unwrap_or_default().to_owned())
            .ok_or_else(|| refuse("SETUP gave no session".to_owned()))?;
        ask(
            &mut socket,
            &format!("PLAY {url} RTSP/1.0\r\nCSeq: 3\r\nSession: {session}\r\n\r\n"),
        )?;
        Ok(Self { socket })
    }

    /// Its connection, for one who reads after all.
    pub(super) fn into_socket(self) -> TcpStream {
        self.socket
    }
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    answer.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The address of the first video in a session description (RFC 2326, C.1.1).
fn control_url(answer: &str, url: &str) -> String {
    let video = answer.split_once("m=video").map_or("", |(_, rest)| rest);
    let control = video
        .lines()
        .find_map(|l| l.strip_prefix("a=control:"))
        .unwrap_or("")
        .trim();
    if control.starts_with("rtsp://") {
        return control.to_owned();
    }
    let base = header(answer, "content-base").unwrap_or(url);
    match control {
        "" | "*" => base.to_owned(),
        _ => format!("{}/{control}", base.trim_end_matches('/')),
    }
}

/// Sends a request and reads its answer: head and body, or head and whatever of
/// the stream comes with it.
fn ask(socket: &mut TcpStream, request: &str) -> std::io::Result<String> {
    socket.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    let mut part = [0u8; 2048];
    loop {
        let n = socket.read(&mut part)?;
        answer.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = header(head, "content-length").and_then(|l| l.parse::<usize>().ok());
            if body.len() >= length.unwrap_or(0) {
                return match head.split(' ').nth(1) {
                    Some("200") => Ok(text),
                    _ => Err(refuse(head.lines().next().unwrap_or_default().to_owned())),
                };
            }
        }
        if n == 0 || answer.len() > 64 * 1024 {
            return Err(refuse("the server hung up".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_video_s_address_is_found() {
        let url = "rtsp://h:1/a";
        for (answer, expected) in [
            (
                "\r\nm=video 0 RTP/AVP 96\r\na=control:stream=0\r\n",
                "rtsp://h:1/a/stream=0",
            ),
            (
                "Content-Base: rtsp://h:1/a/\r\n\r\na=control:*\r\nm=video 0\r\na=control:t1",
                "rtsp://h:1/a/t1",
            ),
            ("m=video 0\r\na=control:rtsp://x/y\r\n", "rtsp://x/y"),
            ("", "rtsp://h:1/a"),
        ] {
            assert_eq!(control_url(answer, url), expected, "{answer}");
        }
    }
}
