//! A storm of viewers: they come side by side, half of them never read, and all
//! leave at once without a word.

use super::super::stalled::Stalled;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// How many come.
const VIEWERS: u32 = 200;
/// How many come at the same time.
const SIDE_BY_SIDE: u32 = 10;
/// How often those who read do so.
const READ_EVERY: Duration = Duration::from_millis(40);

/// A storm; dropping it ends it.
#[derive(Debug)]
pub(super) struct Storm {
    over: Arc<AtomicBool>,
    joined: Arc<AtomicU32>,
    threads: Vec<JoinHandle<()>>,
}

impl Storm {
    /// Lets it loose upon the stream at `url`.
    pub(super) fn start(url: &str) -> Self {
        let (over, joined) = (Arc::<AtomicBool>::default(), Arc::<AtomicU32>::default());
        let thread = |_| {
            let (url, over, joined) = (url.to_owned(), over.clone(), joined.clone());
            std::thread::spawn(move || come(&url, &over, &joined))
        };
        let threads = (0..SIDE_BY_SIDE).map(thread).collect();
        Self {
            over,
            joined,
            threads,
        }
    }

    /// How many were let in.
    pub(super) fn joined(&self) -> u32 {
        self.joined.load(Ordering::SeqCst)
    }
}

impl Drop for Storm {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn come(url: &str, over: &AtomicBool, joined: &AtomicU32) {
    let (mut silent, mut readers) = (Vec::new(), Vec::new());
    let is_over = || over.load(Ordering::SeqCst);
    for i in 0..VIEWERS / SIDE_BY_SIDE {
        if is_over() {
            break;
        }
        // Whoever is refused is not seen again; how many came in is told.
        if let Ok(viewer) = Stalled::start(url) {
            joined.fetch_add(1, Ordering::SeqCst);
            let socket = viewer.into_socket();
            match socket.set_nonblocking(i % 2 == 0) {
                Ok(()) if i % 2 == 0 => readers.push(socket),
                _ => silent.push(socket),
            }
        }
        read(&mut readers);
    }
    while !is_over() {
        read(&mut readers);
        std::thread::sleep(READ_EVERY);
    }
}

/// Reads what has come, and lets go whom the gateway has dismissed.
fn read(readers: &mut Vec<TcpStream>) {
    let mut part = [0; 64 * 1024];
    readers.retain_mut(|socket| {
        loop {
            match socket.read(&mut part) {
                Ok(0) => return false,
                Ok(_) => {}
                Err(e) => return e.kind() == ErrorKind::WouldBlock,
            }
        }
    });
}
