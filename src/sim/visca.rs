//! The camera's VISCA over IP: answers where it stands, by datagram.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::camera::Camera;
use super::faults::PositionFault;
use super::reports::{Reports, numbers};

/// Serves until the socket fails for good, which is when the runtime ends.
pub(crate) async fn serve(socket: UdpSocket, camera: Arc<Camera>) {
    let socket = Arc::new(socket);
    let mut buffer = [0u8; 64];
    loop {
        // An error is about one peer that is gone: others still ask.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            tokio::task::yield_now().await;
            continue;
        };
        let Some(answer) = buffer
            .get(..length)
            .and_then(|asked| answer(&camera, asked))
        else {
            continue;
        };
        match camera.answer_delay_ms() {
            Some(ms) if ms > 0.0 => {
                let socket = Arc::clone(&socket);
                tokio::spawn(async move {
                    tokio::time::sleep(Duration::from_secs_f64(ms / 1000.0)).await;
                    let _ = socket.send_to(&answer, peer).await;
                });
            }
            Some(_) => {
                let _ = socket.send_to(&answer, peer).await;
            }
            None => {}
        }
    }
}

/// The answer to a datagram; `None` where there is none to give.
fn answer(camera: &Camera, asked: &[u8]) -> Option<Vec<u8>> {
    if camera.is_booting() {
        return None;
    }
    let (head, payload) = asked.split_at_checked(8)?;
    let (kind, sequence) = (head.get(..2)?, head.get(4..8)?);
    match (kind, payload) {
        ([0x02, 0x00], [0x01]) => Some(message([0x02, 0x01], sequence, &[0x01])),
        ([0x01, 0x10], [0x81, 0x09, inquiry @ .., 0xff]) => {
            let said = said(camera, inquiry).unwrap_or_else(|| vec![0x90, 0x61, 0x41, 0xff]);
            Some(message([0x01, 0x11], sequence, &said))
        }
        ([0x01, 0x10 | 0x00], _) => {
            Some(message([0x01, 0x11], sequence, &[0x90, 0x60, 0x02, 0xff]))
        }
        _ => Some(message([0x02, 0x01], sequence, &[0x0f, 0x02])),
    }
}

fn said(camera: &Camera, inquiry: &[u8]) -> Option<Vec<u8>> {
    let measured = camera.measure()?;
    let fault = camera.faults().position;
    let [pan, tilt, zoom] = numbers(&camera.config, Reports::Visca, &measured, fault);
    let mut said = vec![0x90, 0x50];
    match inquiry {
        [0x06, 0x12] => {
            said.extend(digits(pan?));
            said.extend(digits(tilt?));
        }
        [0x04, 0x47] => said.extend(digits(zoom?)),
        _ => return Some(vec![0x90, 0x60, 0x02, 0xff]),
    }
    if fault == PositionFault::Nan {
        // No number at all can be written in half-bytes; this is none.
        said.iter_mut().skip(2).for_each(|digit| *digit |= 0x10);
    }
    said.push(0xff);
    Some(said)
}

/// Four half-bytes, two's complement.
fn digits(value: f64) -> [u8; 4] {
    let value = value as i32;
    [12, 8, 4, 0].map(|shift| (value >> shift & 0xf) as u8)
}

fn message(kind: [u8; 2], sequence: &[u8], payload: &[u8]) -> Vec<u8> {
    let length = [0, payload.len() as u8];
    [&kind[..], &length, sequence, payload].concat()
}
