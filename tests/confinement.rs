//! What a gateway may no longer ask of the kernel: that it is refused in every thread, and
//! that a real gateway lacks nothing by it.
//! `make models` must have run.
#![cfg(feature = "gateway")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should fail loudly"
)]

mod pipeline_support;
mod players_support;
mod publish_support;
mod tls_support;

use greyplane::clock::SystemClock;
use greyplane::machine::{REFUSED, can_refuse_calls, refuse_calls};
use greyplane::sim::{Sim, SimConfig};
use libc::{c_int, c_long};
use players_support::{program, retina};
use publish_support::{RecordServer, Rules};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};
use std::fs;
use std::io::{Error, ErrorKind};
use std::net::{TcpListener, ToSocketAddrs, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
use tls_support::{Gateway, PATIENCE};

/// Tells the same test, run anew by itself, that it is to refuse.
const REFUSES: &str = "GREYPLANE_TEST_REFUSES";

/// Asks the kernel: what it answered, or its errno.
fn ask(number: c_long, arguments: [c_long; 3]) -> Result<c_long, c_int> {
    let [a, b, c] = arguments;
    #[allow(
        unsafe_code,
        reason = "the point is what the kernel says of such calls"
    )]
    // SAFETY: no argument is an address of memory but null, which the kernel refuses
    // where it needs one.
    let answer = unsafe { libc::syscall(number, a, b, c, 0, 0, 0) };
    match answer {
        -1 => Err(Error::last_os_error().raw_os_error().unwrap()),
        answer => Ok(answer),
    }
}

/// Calls that anybody may make, and no gateway after its start: none harms the one who asks.
fn doors() -> Vec<(&'static str, c_long, [c_long; 3])> {
    let socket = |family: c_int, kind: c_int| {
        let kind = kind | libc::SOCK_CLOEXEC;
        [c_long::from(family), c_long::from(kind), 0]
    };
    vec![
        ("execve of nothing", libc::SYS_execve, [0; 3]),
        ("personality", libc::SYS_personality, [0xffff_ffff, 0, 0]),
        ("unshare of nothing", libc::SYS_unshare, [0; 3]),
        (
            "process_vm_readv",
            libc::SYS_process_vm_readv,
            [1 << 22, 0, 0],
        ),
        ("keyctl", libc::SYS_keyctl, [0, -1, 0]),
        ("io_uring_enter", libc::SYS_io_uring_enter, [-1, 0, 0]),
        ("setuid to the same", libc::SYS_setfsuid, [-1, 0, 0]),
        (
            "a socket of AF_ALG",
            libc::SYS_socket,
            socket(libc::AF_ALG, libc::SOCK_SEQPACKET),
        ),
        ("TIOCSTI", libc::SYS_ioctl, [-1, libc::TIOCSTI as c_long, 0]),
        (
            "PR_SET_DUMPABLE",
            libc::SYS_prctl,
            [c_long::from(libc::PR_SET_DUMPABLE), 1, 0],
        ),
    ]
}

const EPERM: Result<c_long, c_int> = Err(libc::EPERM);

/// Every door is shut: for the thread that asks.
fn all_is_refused(thread: &str) {
    for (name, number, arguments) in doors() {
        assert_eq!(ask(number, arguments), EPERM, "{name} of {thread}");
    }
    for &(name, number) in REFUSED {
        assert_eq!(ask(number, [0; 3]), EPERM, "{name} of {thread}");
    }
    for (name, family, kind) in [
        ("packets", libc::AF_PACKET, libc::SOCK_RAW),
        ("raw", libc::AF_INET, libc::SOCK_RAW),
        ("raw", libc::AF_INET6, libc::SOCK_RAW | libc::SOCK_NONBLOCK),
        ("other machines' guests", libc::AF_VSOCK, libc::SOCK_STREAM),
    ] {
        let arguments = [c_long::from(family), c_long::from(kind), 0];
        assert_eq!(
            ask(libc::SYS_socket, arguments),
            EPERM,
            "{name} of {thread}"
        );
    }
    for flags in [
        libc::SIGCHLD,
        libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
        libc::CLONE_THREAD | libc::CLONE_NEWNET,
    ] {
        let arguments = [c_long::from(flags), 0, 0];
        assert_eq!(
            ask(libc::SYS_clone, arguments),
            EPERM,
            "{flags:#x} of {thread}"
        );
    }
    assert_eq!(ask(libc::SYS_clone3, [0; 3]), Err(libc::ENOSYS));
    #[cfg(target_arch = "x86_64")]
    for x32 in [0x4000_0000 + 520, 0x4000_0000 + 39] {
        assert_eq!(ask(x32, [0; 3]), Err(libc::ENOSYS), "{x32:#x} of {thread}");
    }
    let spawned = Command::new("/bin/true").spawn();
    assert_eq!(spawned.unwrap_err().kind(), ErrorKind::PermissionDenied);
}

/// Threads, files and the sockets of a gateway are still to be had.
fn the_rest_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "x").unwrap();
    UnixDatagram::bind(folder.path().join("socket")).unwrap();
    UdpSocket::bind("127.0.0.1:0").unwrap();
    TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(("localhost", 80).to_socket_addrs().unwrap().count() > 0);
    assert!(std::thread::spawn(|| 7).join().is_ok_and(|n| n == 7));
}

#[test]
fn what_no_gateway_needs_is_refused_to_all_its_threads() {
    assert_eq!(can_refuse_calls(), Some(true));
    if std::env::var_os(REFUSES).is_none() {
        // Else what follows would prove nothing.
        // (Some of them are shut in a container.)
        let doors = doors().into_iter();
        let open = doors.filter(|(_, number, with)| ask(*number, *with) != EPERM);
        assert!(open.count() >= 5);
        // It is for good: in a process of its own.
        let itself = "what_no_gateway_needs_is_refused_to_all_its_threads";
        let done = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", itself, "--nocapture"])
            .env(REFUSES, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "{said}{complaint}");
        assert!(said.contains("1 passed"), "{said}");
        return;
    }
    let (go, wait) = sync_channel::<()>(1);
    let before = std::thread::spawn(move || {
        wait.recv().unwrap();
        all_is_refused("a thread from before");
    });
    refuse_calls().unwrap();
    go.send(()).unwrap();
    before.join().unwrap();
    all_is_refused("the thread that asked for it");
    let after = std::thread::spawn(|| all_is_refused("a thread from afterwards"));
    after.join().unwrap();
    the_rest_is_there();
}

/// How many threads the gateway has. Each is confined, or none is more than this test.
fn threads(gateway: &Gateway, are_confined: bool) -> usize {
    let itself = fs::read_to_string("/proc/self/status").unwrap();
    let own = |of: &str| {
        itself
            .lines()
            .find(|l| l.starts_with(of))
            .unwrap()
            .to_owned()
    };
    let expected = match are_confined {
        true => ["Seccomp:\t2".to_owned(), "NoNewPrivs:\t1".to_owned()],
        false => [own("Seccomp:"), own("NoNewPrivs:")],
    };
    let tasks = fs::read_dir(format!("/proc/{}/task", gateway.pid())).unwrap();
    let mut count = 0;
    for task in tasks {
        // Threads come and go.
        let Ok(status) = fs::read_to_string(task.unwrap().path().join("status")) else {
            continue;
        };
        let says = |line: &String| status.lines().any(|l| l == line);
        assert!(expected.iter().all(says), "{status}");
        count += 1;
    }
    count
}

#[test]
fn a_confined_gateway_masks_looks_serves_publishes_reloads_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let config = SimConfig {
        width: 640,
        height: 360,
        ..SimConfig::default()
    };
    let sim = Sim::start(config, Arc::new(SystemClock::new())).unwrap();
    let server = RecordServer::start(0, &Rules::default());
    fs::write(file("street.json"), sim.zones_json()).unwrap();
    fs::write(file("street.profile.toml"), sim.profile().to_toml()).unwrap();
    let yard = r#"{"format":1,"camera":"yard","nothing_private":"A test.","zones":[]}"#;
    fs::write(file("yard.json"), yard).unwrap();
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n\
         [[camera]]\nid = \"street\"\nurl = \"{}\"\nmasks = \"street.json\"\n\
         profile = \"street.profile.toml\"\nlatency_budget_ms = 400\n\
         [camera.telemetry]\ndevice_url = \"{}\"\n\
         [camera.detect]\nclasses = [\"face\"]\n\
         [[camera.publish]]\nurl = \"{}\"\n",
        sim.rtsp_url(),
        sim.onvif_url(),
        server.url("rtsp")
    );
    fs::write(file("greyplane.toml"), &text).unwrap();

    let gateway = Gateway::start(&file("greyplane.toml"));
    let http = gateway.says("http ").trim_start_matches("http ").to_owned();
    let port = gateway.port();
    gateway.says("live camera=street");
    let began_with = threads(&gateway, true);
    assert!(began_with > 10, "{began_with}");
    let url = format!("rtsp://127.0.0.1:{port}/street");
    assert_eq!(retina(&url, None, 50).unwrap().len(), 50);
    let many = |seen: &[_]| (seen.len() >= 25).then_some(());
    server.pictures.wait("pictures", many);
    looked(&http);

    let more =
        "[[camera]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1:9/yard\"\nmasks = \"yard.json\"\n";
    fs::write(file("greyplane.toml"), format!("{text}{more}")).unwrap();
    gateway.reload();
    assert!(threads(&gateway, true) > began_with);
    assert_eq!(retina(&url, None, 25).unwrap().len(), 25);
    assert_eq!(gateway.end(), Some(0));
}

/// Waits until the detectors have looked at the street.
fn looked(http: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let until_then = async {
        loop {
            let page = reqwest::get(format!("{http}/metrics")).await.unwrap();
            let page = page.text().await.unwrap();
            let name = "greyplane_camera_detector_looks_per_second{camera=\"street\"} ";
            let looks = page.lines().find_map(|l| l.strip_prefix(name));
            if looks.is_some_and(|l| l.parse::<f64>().unwrap() > 0.0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let so = runtime.block_on(async { tokio::time::timeout(PATIENCE, until_then).await });
    assert!(so.is_ok(), "nobody looked");
}

/// A configuration of one camera that is never there.
fn quiet(folder: &Path, more: &str) -> PathBuf {
    let yard = r#"{"format":1,"camera":"yard","nothing_private":"A test.","zones":[]}"#;
    fs::write(folder.join("yard.json"), yard).unwrap();
    let text = format!(
        "[gateway]\nrtsp_listen = \"127.0.0.1:0\"\nhttp_listen = \"127.0.0.1:0\"\n{more}\
         [[camera]]\nid = \"yard\"\nurl = \"rtsp://127.0.0.1:9/yard\"\nmasks = \"yard.json\"\n"
    );
    let path = folder.join("greyplane.toml");
    fs::write(&path, text).unwrap();
    path
}

const OFF: &str = "filter_system_calls = false\n";

#[test]
fn whoever_wants_it_unconfined_says_so_and_is_warned() {
    let folder = tempfile::tempdir().unwrap();
    let gateway = Gateway::start(&quiet(folder.path(), OFF));
    gateway.says("system calls are not filtered");
    gateway.says("http ");
    assert!(threads(&gateway, false) > 1);
    quiet(folder.path(), "");
    gateway.reload();
    assert!(threads(&gateway, false) > 1, "not before the next start");
    assert_eq!(gateway.end(), Some(0));
}

#[test]
fn where_nothing_can_be_refused_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let config = quiet(folder.path(), "");
    // As in a container that allows no filters.
    let rules = [(libc::SYS_seccomp, Vec::new())].into();
    let eperm = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, eperm, machine).unwrap();
    let filter: BpfProgram = filter.try_into().unwrap();
    let mut gateway = program(env!("CARGO_BIN_EXE_greyplane"));
    gateway.args(["run", "--config"]).arg(config);
    #[allow(unsafe_code, reason = "the child must lack something before it begins")]
    // SAFETY: between fork and exec it makes two system calls, and allocates where they fail.
    unsafe {
        gateway.pre_exec(move || apply_filter(&filter).map_err(Error::other));
    }
    let done = gateway.output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(said.contains("filter_system_calls = false"), "{said}");
    assert!(done.stdout.is_empty(), "it has no address yet");
}
